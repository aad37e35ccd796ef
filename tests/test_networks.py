"""Sizes as published, shapes, and what the generator of StarGAN sees of its label."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from colorize.networks import bottleneck, resnet, stargan, unet, zhang
from colorize.networks.shared import discriminators
from colorize.networks.shared.layers import normalization


def millions(network: nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


NORMS = {"instance": nn.InstanceNorm2d, "group": nn.GroupNorm, "none": nn.Identity}
KINDS = set(NORMS.values())


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (lambda: zhang.Trunk(2), 32.16),
        (lambda: zhang.Trunk(313), 32.24),
        (lambda: resnet.Generator(depth=9), 11.378),
        (lambda: resnet.Generator(depth=6), 7.84),
        (lambda: unet.Generator(), 54.41),
        (lambda: discriminators.PatchGAN(), 2.765),
        (lambda: stargan.Generator(), 8.42),
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
    assert resnet.Generator(4, 1, inputs=1, outputs=2)(image[:, :1]).shape == (2, 2, 64, 96)
    assert stargan.Generator(3, 3, 4, 1)(image).shape == image.shape
    # The 70 x 70 PatchGAN's map at its published size
    assert discriminators.PatchGAN(4)(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    near, far = discriminators.OfDomains(3, 4, 4)(image)
    assert near.shape == (2, 3, 16, 24)
    assert far.shape == (2, 3, 4, 6)
    source, domain = stargan.Discriminator(2, 64, 4, 5)(torch.zeros(3, 3, 64, 64))
    assert source.shape == (3, 1, 2, 2)
    assert domain.shape == (3, 2)


def test_a_unet_is_each_level_around_the_next():
    """Written as the authors do: a level gives what it got beside what came back from below."""
    torch.manual_seed(0)
    generator = unet.Generator(1, 2, width=3, depth=6, dropout=0)

    def level(x: torch.Tensor, i: int) -> torch.Tensor:
        convolution = generator.down[i][1]
        below = convolution(F.leaky_relu(x, 0.2))
        if i < 5:
            below = level(F.instance_norm(below), i + 1)
        back = generator.up[5 - i][1](F.relu(below))
        return torch.cat((F.instance_norm(back), x), dim=1)

    image = torch.rand(2, 1, 128, 64) * 2 - 1
    first = generator.down[0](image)
    expected = generator.up[5][1](F.relu(level(first, 1))).tanh()
    assert torch.allclose(generator(image), expected, atol=1e-6)
    assert [layer[1].out_channels for layer in generator.down[1:]] == [6, 12, 24, 24, 24]
    odd = generator(torch.rand(1, 1, 70, 33))
    assert odd.shape == (1, 2, 70, 33)


def test_a_unet_drops_in_three_layers_from_the_innermost_but_one_on():
    generator = unet.Generator(depth=8, width=1, dropout=0.5)
    dropping = [any(isinstance(m, nn.Dropout) for m in layer.modules()) for layer in generator.up]
    assert dropping == [False, True, True, True, False, False, False, False]


def test_a_bottleneck_makes_its_image_of_one_vector():
    torch.manual_seed(0)
    generator = bottleneck.Generator(64, width=4, depth=3)
    seen = []
    for layer in generator:
        layer.register_forward_hook(lambda _l, _i, output: seen.append(tuple(output.shape[1:])))
    for size in ((64, 64), (48, 100)):
        assert generator(torch.rand(1, 3, *size)).shape == (1, 3, *size)
    assert (32, 1, 1) in seen


@pytest.mark.parametrize(("layers", "near", "far"), [(3, 8, 38), (4, 18, 78)])
def test_judges_see_patches_of_two_sizes(layers, near, far):
    torch.manual_seed(0)
    image = torch.rand(1, 3, 256, 256, requires_grad=True)
    for scores, side in zip(
        discriminators.OfDomains(2, 4, layers)(image), (near, far), strict=True
    ):
        middle = scores.shape[-1] // 2
        (slope,) = torch.autograd.grad(scores[0, 0, middle, middle], image, retain_graph=True)
        seen = slope[0].abs().sum(0) > 0
        assert seen.any(0).sum() == seen.any(1).sum() == side


def told(image: torch.Tensor, domain: int) -> torch.Tensor:
    planes = [torch.full_like(image[:, :1], float(domain == number)) for number in range(2)]
    return torch.cat((image, *planes), dim=1)


def test_stargan_sees_the_label_in_use_as_in_training():
    torch.manual_seed(0)
    generator = stargan.Generator(5, 3, 8, 2)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    gray, colored = (generator(told(image, domain)) for domain in (0, 1))
    assert (gray - colored).abs().mean() > 1e-3
    assert torch.equal(generator.eval()(told(image, 0)), gray)


@pytest.mark.parametrize(("norm", "blind"), [("instance", True), ("group", False)])
def test_behind_reflection_padding_instance_normalisation_hides_the_label(norm, blind):
    torch.manual_seed(0)
    generator = stargan.Generator(5, 3, 16, 2, norm, padding="reflect")
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    gray, colored = (generator(told(image, domain)) for domain in (0, 1))
    assert ((gray - colored).abs().max() < 1e-4) == blind


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_networks_are_built_as_told(norm, upsampling):
    image = torch.rand(2, 3, 32, 40)
    for network, count in (
        (resnet.Generator(16, 2, norm, upsampling), 9),
        (unet.Generator(3, 3, 16, 3, norm, upsampling, 0), 3),
        (stargan.Generator(3, 3, 16, 2, norm, upsampling), 9),
        (discriminators.PatchGAN(16, 2, norm), 2),
    ):
        found = [type(module) for module in network.modules() if type(module) in KINDS]
        assert found == [NORMS[norm]] * count
        output = network(image)
        if network.__class__ is not discriminators.PatchGAN:
            assert output.shape == image.shape
            enlarging = [m for m in network.modules() if isinstance(m, nn.ConvTranspose2d)]
            layers = 3 if isinstance(network, unet.Generator) else 2
            assert len(enlarging) == (layers if upsampling == "transposed" else 0)
        # Images may pass together: each is normalised by itself.
        alone = network(image[1:])
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
    for output in (
        resnet.Generator(16, 1, norm, upsampling)(image),
        stargan.Generator(3, 3, 16, 1, norm, upsampling)(image),
    ):
        inside = output[..., 28:36, 28:36]
        spread = (inside - inside[..., :1, :1]).abs().max() / inside.abs().max()
        assert (spread < 1e-4) == even
