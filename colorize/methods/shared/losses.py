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
    """1/2 ||Y - Yhat||^2 of a pixel's color, (n, 2, H, W); the mean over pixels."""
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
def soft_cross_entropy(logits: Tensor, share: Tensor, which: Tensor, weight: Tensor) -> Tensor:
    """-v sum_q Z_q log Zhat_q of a pixel, the mean over pixels.

    logits (n, Q, H, W); Z by those of its Q classes that are not 0, (n, k, H, W): `share` of which;
    weight: v, (n, H, W).
    """
    log_probability = logits.log_softmax(1).gather(1, which)
    return -(weight * (share * log_probability).sum(1)).mean()


@in_full_precision
def least_squares(scores: Tensor, wanted: float) -> Tensor:
    """E[(D(x) - wanted)^2]."""
    return functional.mse_loss(scores, torch.full_like(scores, wanted))


@in_full_precision
def logistic(scores: Tensor) -> Tensor:
    """E[log(1 + exp(-D(x)))], which is E[-log sigmoid(D(x))]."""
    return functional.softplus(-scores).mean()


@in_full_precision
def hinge(scores: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))]."""
    return functional.relu(1 - scores).mean()


@in_full_precision
def relativistic(higher: Tensor, lower: Tensor) -> Tensor:
    """E[log(1 + exp(D(lower) - D(higher)))], patch by patch: how far `higher` is from above."""
    return functional.softplus(lower - higher).mean()


# What is compiled cannot be differentiated twice. `torch.compiler.disable` does the same, but
# imports the compiler here, which takes every stage a second.
@torch._disable_dynamo
@in_full_precision
def gradient_penalty(between: Tensor, critic: Callable[[Tensor], Tensor]) -> Tensor:
    """E[(||grad critic(xh)||_2 - 1)^2], two-sided (WGAN-GP, Gulrajani et al. 2017).

    between: xh, (n, 3, H, W), points between real and generated images. Its gradient is part of
    the discriminator's loss, so it is itself differentiable.
    """
    between.requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(2, dim=1) - 1).square().mean()


@torch._disable_dynamo
@in_full_precision
def squared_slope(images: Tensor, critic: Callable[[Tensor], Tensor]) -> Tensor:
    """E[||grad D(x)||^2] for images (n, 3, H, W): R1 of real ones, R2 of generated ones.

    Of a map of scores one pass gives the gradient of their sum. Its squared norm, divided by their
    number, is the mean over patches where patches do not overlap, and the published penalty where
    there is one patch.
    """
    images = images.detach().requires_grad_(True)
    scores = critic(images)
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().sum() / scores.numel()
