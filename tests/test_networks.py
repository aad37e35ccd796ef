"""Sizes as published, shapes, and what the generator of StarGAN sees of its label."""

import pytest
import torch
from torch import nn

from colorize.networks import patchgan, resnet, stargan, zhang
from colorize.networks.layers import normalization


def millions(network: nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


NORMS = {"instance": nn.InstanceNorm2d, "group": nn.GroupNorm, "none": nn.Identity}
KINDS = set(NORMS.values())


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


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_networks_are_built_as_told(norm, upsampling):
    image = torch.rand(2, 3, 32, 40)
    domain = torch.tensor([0, 1])
    for network, inputs, count in (
        (resnet.Generator(16, 2, norm, upsampling), (image,), 9),
        (stargan.Generator(2, 16, 2, norm, upsampling), (image, domain), 9),
        (patchgan.Discriminator(16, 2, norm), (image,), 2),
    ):
        found = [type(module) for module in network.modules() if type(module) in KINDS]
        assert found == [NORMS[norm]] * count
        output = network(*inputs)
        if network.__class__ is not patchgan.Discriminator:
            assert output.shape == image.shape
            enlarging = [m for m in network.modules() if isinstance(m, nn.ConvTranspose2d)]
            assert len(enlarging) == (2 if upsampling == "transposed" else 0)
        # Images may pass together: each is normalised by itself.
        alone = network(*(tensor[1:] for tensor in inputs))
        assert torch.allclose(output[1:], alone, atol=1e-5)


def test_group_normalisation_is_of_16_channels_or_of_all():
    groups = [normalization("group", channels).num_groups for channels in (2, 16, 24, 64)]
    assert groups == [1, 1, 1, 4]


@pytest.mark.parametrize(("norm", "blind"), [("instance", True), ("group", False), ("none", False)])
def test_instance_normalisation_erases_brightness_and_contrast(norm, blind):
    torch.manual_seed(0)
    generator = resnet.Generator(16, 1, norm)
    image = torch.rand(1, 3, 32, 32)
    changed = (generator(image) - generator(image * 0.5 + 0.4)).abs().mean()
    assert (changed / generator(image).abs().mean() < 1e-2) == blind


@pytest.mark.parametrize(("upsampling", "even"), [("transposed", False), ("resize", True)])
@pytest.mark.parametrize("norm", ["group", "none"])
def test_transposed_convolutions_leave_a_checkerboard_and_resizing_does_not(upsampling, even, norm):
    """Of an image without any detail, far from its border, before any training."""
    torch.manual_seed(0)
    image = torch.full((1, 3, 64, 64), 0.5)
    domain = torch.tensor([0])
    for output in (
        resnet.Generator(16, 1, norm, upsampling)(image),
        stargan.Generator(2, 16, 1, norm, upsampling)(image, domain),
    ):
        inside = output[..., 28:36, 28:36]
        spread = (inside - inside[..., :1, :1]).abs().max() / inside.abs().max()
        assert (spread < 1e-4) == even
