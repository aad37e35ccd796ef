"""Zhang's network as published: classes instead of a mean, and rare colors weighted up.

Zhang, Isola and Efros 2016, "Colorful Image Colorization", equations 2 to 5. A pixel's color is
spread over its 5 nearest of 313 bins, Z; the network gives probabilities of the bins, Zhat, at a
quarter of the size; v weighs a pixel by how rare its nearest bin is in the training photographs:

    L = E[-v(Z) sum_q Z_q log Zhat_q],   v proportional to 1 / ((1 - lambda) p + lambda / 313)

Where several colors are plausible the L2 loss is least at their mean, which is gray. Classes keep
them apart, and their annealed mean, of Zhat^(1/T) instead of Zhat, is close to the likeliest.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize import color
from colorize.color import bins, in_full_precision
from colorize.methods.shared import lab
from colorize.methods.shared.base import Computed, Losses, Share

NEIGHBORS = 5  # bins that share a color, as published
SIGMA = 5  # units of ab: of the Gaussian by which they share it, as published


class Parameters(lab.QuarterParameters):
    method: Literal["zhang_class"]
    uniform_share: Share
    temperature: Annotated[float, Field(gt=0, le=1)]


class Method(lab.QuarterMethod):
    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size, outputs=len(bins.CENTERS))
        self.register_buffer("rarity", torch.ones(len(bins.CENTERS)), persistent=False)

    def set_color_statistics(self, statistics: dict) -> None:
        share = bins.prior(statistics["ab_histogram"]["share"])
        self.rarity.copy_(bins.rebalanced(share, self.p.uniform_share))

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        ab = color.quarter(color.rgb_to_lab(batch["color"])[:, 1:])
        share, which = encoded(ab)
        return self.update("generator", color.lightness_of(batch["gray"]), share, which)[0]

    def predict_ab(self, gray: Tensor) -> Tensor:
        logits = color.widened(self.predict_map(color.lightness_of(gray)))
        annealed = (logits / self.p.temperature).softmax(1)
        return color.enlarge(torch.einsum("nqhw,qc->nchw", annealed, bins.centers(annealed)))

    def _loss(self, lightness: Tensor, share: Tensor, which: Tensor) -> Computed:
        weight = self.rarity[which[:, 0]]
        loss = soft_cross_entropy(self.predict_map(lightness), share, which, weight)
        return loss, {"loss": loss}, ()


def encoded(ab: Tensor) -> tuple[Tensor, Tensor]:
    """Of ab (n, 2, h, w) the shares of the nearest bins and which they are: both (n, 5, h, w)."""
    pixels = ab.movedim(1, -1)  # (n, h, w, 2)
    distance, which = bins.nearest(pixels.flatten(0, 2), NEIGHBORS)
    share = (-distance.square() / (2 * SIGMA**2)).softmax(1)
    size = pixels.shape[:3]
    return share.unflatten(0, size).movedim(-1, 1), which.unflatten(0, size).movedim(-1, 1)


@in_full_precision
def soft_cross_entropy(logits: Tensor, share: Tensor, which: Tensor, weight: Tensor) -> Tensor:
    """-v sum_q Z_q log Zhat_q of a pixel, the mean over pixels.

    logits (n, Q, H, W); Z by those of its Q classes that are not 0, (n, k, H, W): `share` of which;
    weight: v, (n, H, W).
    """
    log_probability = logits.log_softmax(1).gather(1, which)
    return -(weight * (share * log_probability).sum(1)).mean()
