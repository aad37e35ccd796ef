"""How far a model moves an image, how much of that is the right way, and colours without lightness.

With x the input, T what is wanted and y what the model makes, as 8-bit RGB:

    identity_index   sum |y - x| / sum |T - x|              how far it moves; a literal copy: 0
    projection       <y - x, T - x> / ||T - x||^2           how far it moves the right way
"""

from torch import Tensor

from colorize import color
from colorize.quality.fidelity import psnr, total


def moved(x: Tensor, wanted: Tensor, made: Tensor) -> dict[str, Tensor]:
    """Of each of (n, 3, H, W) images in 0..255 the sums, (n,), that both are ratios of."""
    change, change_wanted = made - x, wanted - x
    return {
        "change": total(change.abs()),
        "change_of_truth": total(change_wanted.abs()),
        "projection": total(change * change_wanted),
        "projection_of_truth": total(change_wanted * change_wanted),
    }


def psnr_of_colors(rgb: Tensor, gray: Tensor, truth: Tensor) -> Tensor:
    """PSNR, (n,), of the colours of `rgb` (n, 3, H, W), in [0, 1], on the true lightness.

    gray: (n, 1, H, W), which has it, and truth (n, 3, H, W), both uint8.
    """
    return psnr(color.to_uint8(color.repaint(gray, rgb)).float(), truth.float())
