"""Sizes as published, shapes, and what the generator of StarGAN sees of its label."""

import pytest
import torch
from torch import nn

from colorize.networks import patchgan, resnet, stargan, zhang


def millions(network: nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (lambda: zhang.Trunk(2), 32.16),
        (lambda: resnet.Generator(depth=9), 11.378),
        (lambda: resnet.Generator(depth=6), 7.84),
        (lambda: patchgan.Discriminator(), 2.765),
        (lambda: stargan.Generator(2), 8.42),
        (lambda: stargan.Discriminator(2, 128), 44.74),
        (lambda: stargan.Discriminator(5, 128), 44.762),
    ],
)
def test_parameter_counts_at_published_sizes(network, published):
    assert millions(network()) == pytest.approx(published, abs=0.005)


def test_shapes():
    image = torch.zeros(2, 3, 64, 96)
    assert zhang.Trunk(2, 4, 1)(image[:, :1]).shape == (2, 2, 16, 24)
    assert resnet.Generator(4, 1)(image).shape == image.shape
    assert stargan.Generator(2, 4, 1)(image, torch.tensor([0, 1])).shape == image.shape
    # The 70 x 70 PatchGAN's map at its published size
    assert patchgan.Discriminator(4)(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    source, domain = stargan.Discriminator(2, 64, 4, 5)(torch.zeros(3, 3, 64, 64))
    assert source.shape == (3, 1, 2, 2)
    assert domain.shape == (3, 2)


def test_stargan_sees_the_label_in_use_as_in_training():
    torch.manual_seed(0)
    generator = stargan.Generator(2, 8, 2)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    gray, colored = (generator(image, torch.tensor([domain])) for domain in (0, 1))
    assert (gray - colored).abs().mean() > 1e-3
    assert torch.equal(generator.eval()(image, torch.tensor([0])), gray)
