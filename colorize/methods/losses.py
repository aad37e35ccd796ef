"""Losses that several methods share; all of them are means over the batch, in float32."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from colorize.color import in_full_precision


@in_full_precision
def l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference."""
    return functional.l1_loss(image, target)


@in_full_precision
def half_squared_distance(ab: Tensor, target: Tensor) -> Tensor:
    """1/2 ||Y - Yhat||^2 of a pixel's colour, (n, 2, H, W); the mean over pixels."""
    return (ab - target).square().sum(1).mean() / 2


@in_full_precision
def mean(scores: Tensor) -> Tensor:
    """E[D(x)]."""
    return scores.mean()


@in_full_precision
def cross_entropy(logits: Tensor, domain: Tensor) -> Tensor:
    """-log of the probability of the right domain; logits (n, domains), domain (n,)."""
    return functional.cross_entropy(logits, domain)


@in_full_precision
def lsgan(scores: Tensor, real: bool) -> Tensor:
    """Least-squares GAN loss (Mao et al. 2017): mean squared distance of the scores to 1 or 0."""
    return functional.mse_loss(scores, torch.full_like(scores, float(real)))


def lsgan_discriminator(of_real: Tensor, of_fake: Tensor) -> Tensor:
    """1/2 (E[(D(y) - 1)^2] + E[D(G(x))^2]); halved, as CycleGAN slows its discriminators down."""
    return 0.5 * (lsgan(of_real, real=True) + lsgan(of_fake, real=False))


@torch.compiler.disable  # what is compiled cannot be differentiated twice
@in_full_precision
def gradient_penalty(between: Tensor, critic: Callable[[Tensor], Tensor]) -> Tensor:
    """E[(||grad critic(xh)||_2 - 1)^2], two-sided (WGAN-GP, Gulrajani et al. 2017).

    between: xh, (n, 3, H, W), points between real and generated images. Its gradient is part of
    the discriminator's loss, so it is itself differentiable.
    """
    between.requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(2, dim=1) - 1).square().mean()
