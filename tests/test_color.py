import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from colorize import color
from colorize.color import domains
from colorize.data import local
from colorize.methods.shared import adversarial, base

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


def photograph(name: str) -> torch.Tensor:
    """(1, 3, H, W) in [0, 1]."""
    array = np.array(Image.open(local.photograph(name)).convert("RGB"))
    return color.to_float(torch.from_numpy(array).permute(2, 0, 1)[None])


def to_hwc(image: torch.Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_lab_agrees_with_scikit_image_and_returns(name):
    rgb = photograph(name)
    lab = color.rgb_to_lab(rgb)
    assert np.abs(to_hwc(lab) - skimage.color.rgb2lab(to_hwc(rgb))).max() < 1e-3
    assert (color.lab_to_rgb(lab) - rgb).abs().max() < 1e-5


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_gray_has_the_photographs_own_lightness(name):
    rgb = photograph(name)
    gray = color.gray_of(rgb)
    reference = skimage.color.rgb2lab(to_hwc(rgb))[..., 0]
    assert np.abs(to_hwc(color.lightness_of(gray))[..., 0] - reference).max() < 1e-3
    # Rounded to 8 bits: at most half a level, a quarter of L where the curve is steepest.
    rounded = color.to_float(color.to_uint8(gray))
    assert np.abs(to_hwc(color.lightness_of(rounded))[..., 0] - reference).max() < 0.3


def test_rec601_is_the_weighted_sum():
    rgb = torch.tensor([1.0, 0.5, 0.25])[None, :, None, None]
    assert color.gray_of(rgb, "rec601").item() == pytest.approx(0.299 + 0.587 / 2 + 0.114 / 4)


def test_true_ab_on_the_gray_image_gives_the_photograph_again():
    psnr = []
    for name in PHOTOGRAPHS:
        rgb = photograph(name)
        gray = color.to_float(color.to_uint8(color.gray_of(rgb)))
        again = color.to_uint8(color.repaint(gray, rgb)).double()
        error = (again - rgb.double() * 255).square().mean()
        psnr.append(10 * torch.log10(255**2 / error).item())
    assert np.mean(psnr) >= 60, psnr


def test_colors_outside_srgb_lose_chroma_and_keep_lightness_and_hue():
    rgb = photograph("chelsea.png")
    lightness, ab = color.rgb_to_lab(rgb).split((1, 2), dim=1)
    joined = color.join(lightness, ab * 5)
    lab = color.rgb_to_lab(joined)
    assert (color.lab_to_rgb(torch.cat((lightness, ab * 5), 1)) > 1).any()  # it was outside
    assert joined.min() >= 0
    assert joined.max() <= 1
    assert (lab[:, :1] - lightness).abs().max() < 0.05
    turned = lab[:, 1] * ab[:, 1] - lab[:, 2] * ab[:, 0]  # cross product: 0 for the same hue
    lengths = lab[:, 1:].norm(dim=1) * ab.norm(dim=1)
    assert (turned / lengths.clamp(min=1)).abs().max() < 0.05
    # Inside, nothing changes.
    assert torch.allclose(color.join(lightness, ab), rgb, atol=2e-3)


def test_the_purest_colors_come_back_from_their_own_lab():
    """Those on the surface of sRGB, which rounding alone puts outside."""
    level = torch.arange(256, dtype=torch.uint8)
    one, other = torch.meshgrid(level, level, indexing="ij")
    for fixed in (0, 255):
        face = torch.stack((one, other, torch.full_like(one, fixed)))
        for rgb in (face.roll(channel, 0) for channel in range(3)):
            for image in (rgb, rgb.numpy()):
                ab = color.rgb_to_lab(image)[1:]
                again = color.to_uint8(color.join(color.lightness_of(image), ab))
                assert (np.asarray(again) == rgb.numpy()).all()


def test_arrays_and_tensors_have_the_same_colors():
    rgb = photograph("coffee.png")[0]
    strong = 5 * color.rgb_to_lab(rgb)[1:]
    computed = {
        "lab": lambda image, ab: color.rgb_to_lab(image),
        "gray": lambda image, ab: color.gray_of(image),
        "rec601": lambda image, ab: color.gray_of(image, "rec601"),
        "lightness": lambda image, ab: color.lightness_of(image),
        "lightness of gray": lambda image, ab: color.lightness_of(image[:1]),
        "joined": lambda image, ab: color.join(color.lightness_of(image), ab),
        "night": lambda image, ab: domains.made("night", image),
    }
    for image in (rgb, color.to_uint8(rgb)):
        for name, function in computed.items():
            expected = function(image, strong)
            found = function(image.numpy(), strong.numpy())
            assert found.dtype == expected.numpy().dtype, name
            difference = np.abs(found.astype(float) - expected.double().numpy())
            assert np.quantile(difference, 0.999) < 2e-4, name
            assert difference.max() < 0.01 or name == "night", name


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_color_is_computed_in_full_precision(half):
    rgb = photograph(PHOTOGRAPHS[0])[..., :64, :64].to(half)
    expected = color.rgb_to_lab(rgb.float())
    with torch.autocast("cpu", torch.bfloat16):
        lab = color.rgb_to_lab(rgb)
        assert torch.equal(lab, expected)
        assert torch.equal(color.lab_to_rgb(lab), color.lab_to_rgb(expected))
        again = color.join(lab[:, :1], lab[:, 1:])
        l1 = base.l1(rgb, torch.zeros_like(rgb))
        gan = adversarial.least_squares(rgb, 1)
    assert (again - rgb.float()).abs().max() < 1e-2
    assert l1.dtype == gan.dtype == torch.float32
    assert float(l1) == pytest.approx(float(rgb.double().mean()), rel=1e-5)


def test_bytes_are_decoded_as_floats_are():
    # Contiguous: some CPUs round a product of matrices by how these lie in memory.
    rgb = color.to_uint8(photograph("coffee.png")).contiguous()
    assert torch.equal(color.rgb_to_lab(rgb), color.rgb_to_lab(color.to_float(rgb)))
    for definition in ("lightness", "rec601"):
        expected = color.gray_of(color.to_float(rgb), definition)
        assert torch.equal(color.gray_of(rgb, definition), expected)
    gray = rgb[:, :1, ::2]  # not contiguous
    assert torch.equal(color.lightness_of(gray), color.lightness_of(color.to_float(gray)))


def test_bytes_take_256_powers(monkeypatch):
    taken = []
    power = torch.Tensor.__pow__
    monkeypatch.setattr(
        torch.Tensor, "__pow__", lambda x, e: taken.append((x.numel(), e)) or power(x, e)
    )
    color.rgb_to_lab(color.to_uint8(photograph("coffee.png")))
    assert [count for count, exponent in taken if exponent == 2.4] == [256]


def test_no_matrix_is_inverted_for_a_picture(monkeypatch):
    monkeypatch.setattr(torch.linalg, "inv", None)
    lab = color.rgb_to_lab(photograph("coffee.png"))
    color.join(lab[:, :1], lab[:, 1:] * 5)


def test_chroma_at_a_quarter_of_the_size_stays_in_place():
    """A slope comes back as it was, but at the border; shifted by a pixel it would be 1 off."""
    across = torch.arange(64.0).expand(1, 2, 32, 64)
    for ab in (across, across.transpose(2, 3)):
        again = color.enlarge(color.quarter(ab))
        assert (again - ab)[..., 2:-2, 2:-2].abs().max() < 1e-4
    ab = color.rgb_to_lab(photograph("coffee.png"))[:, 1:]
    again = color.enlarge(color.quarter(ab))
    errors = {
        shift: (again[..., 8:-8, 8:-8] - ab.roll((shift, shift), (2, 3))[..., 8:-8, 8:-8]).norm()
        for shift in (-2, -1, 0, 1, 2)
    }
    assert min(errors, key=errors.get) == 0
