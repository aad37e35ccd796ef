"""Which metrics the tables show, under what headings, and what a reader should know of them."""

from typing import NamedTuple

from colorize.evaluation.metrics import BETTER, COPY_BELOW


class Column(NamedTuple):
    """A metric as a column of a table: its key, heading, and what a reader should wish for."""

    metric: str
    title: str
    digits: int
    meaning: str
    wish: str = ""  # of what `metrics.BETTER` does not know

    @property
    def better(self) -> str:
        return self.wish or BETTER[self.metric]


# What published networks see in it, where their weights are at hand
PERCEPTION = (
    Column(
        "lpips",
        "LPIPS",
        3,
        "Distance to the true photograph in the features of AlexNet, weighted as people rate "
        "(Zhang et al. 2018, v0.1).",
    ),
    Column(
        "kid",
        "KID",
        4,
        "Distance between the pictures and the photographs, each as a set, in features of "
        "Inception. Around 0 for photographs; not biased by how many there are.",
        wish="lower",
    ),
    Column(
        "fid",
        "FID",
        1,
        "Likewise, of two Gaussians. Too large for fewer than some thousand pictures: compare it "
        "only within this table.",
        wish="lower",
    ),
)

# How close each output is to its own photograph
CLOSENESS = (
    Column(
        "ciede2000",
        "CIEDE2000",
        2,
        "Perceived difference in color from the true photograph; about 1 is just noticeable. Gray "
        "and brown guesses do well here, because they are never far off.",
    ),
    Column(
        "psnr",
        "PSNR, dB",
        2,
        "Pixelwise likeness to the true photograph. A model that may repaint lightness loses most "
        "here, whatever its colors.",
    ),
    Column(
        "ssim",
        "SSIM",
        3,
        "Likeness of structure. Nearly 1 for any method that keeps the photograph's own lightness: "
        "it says little about color.",
    ),
    Column(
        "auc_rebalanced",
        "AuC, %",
        1,
        "Share of the pixels whose ab is within 0 to 150 units of the true one, over all those "
        "thresholds (Zhang et al.); rare colors count more.",
    ),
    Column(
        "projection",
        "projection",
        2,
        "The share of the way from the gray input to the true photograph that the output goes: 0 "
        f"for any copy of the input, even a noisy one, 1 for the truth. Below {COPY_BELOW} a model "
        "is called a copy.",
    ),
    Column(
        "sharpness",
        "sharpness",
        2,
        "Edges in lightness, outputs over photographs: below 1 is blurred, above 1 is patterned or "
        "noisy. 1 by construction where the photograph's own lightness is kept.",
    ),
)

# Whether the outputs together look like photographs do
LIKENESS = (
    Column(
        "chroma_ratio",
        "chroma ratio",
        2,
        "Color in the outputs over color in the photographs: 0 is gray, above 1 is gaudy. It "
        "does not ask whether the colors are right; random colors have 1.",
    ),
    Column(
        "colorfulness_gap",
        "colorfulness gap",
        1,
        "How far the mean colorfulness (Hasler and Süsstrunk) of the outputs is from that of the "
        "photographs.",
    ),
    Column(
        "ab_histogram_js",
        "ab-histogram JS",
        3,
        "Are there as many pixels of each color as in the photographs? Jensen-Shannon divergence, "
        "0 to 1. Random colors do perfectly.",
    ),
    Column(
        "patch_swd",
        "patch SWD",
        2,
        "Are there as many patches of each kind? Sliced Wasserstein distance of 7 x 7 pixels in "
        "Lab.",
    ),
    Column(
        "dependence",
        "dependence",
        2,
        "How much closer to the truth the colors are than those made for another photograph: 0 "
        "where the model ignores its input, 1 for the truth.",
    ),
    Column(
        "diversity",
        "diversity",
        2,
        "How much the colors of two outputs differ, over how much those of two photographs do.",
    ),
    Column(
        "retrieval",
        "retrieval",
        2,
        "How many outputs show what their own input shows, and not rather another's. 1 by "
        "construction where the photograph's own lightness is kept.",
    ),
)

COLUMNS = {column.metric: column for column in (*CLOSENESS, *LIKENESS)}

# What the table of results shows at once; what is left of all columns it shows on request
MAIN = ("ciede2000", "projection", "ab_histogram_js", "chroma_ratio", "psnr", "sharpness")
MAIN_WITH_PERCEPTION = (*MAIN[:4], "lpips", "fid")


def main_and_more(perception: bool) -> tuple[list[Column], list[Column]]:
    """perception: whether what published networks see was measured."""
    columns = {c.metric: c for c in (*COLUMNS.values(), *(PERCEPTION if perception else ()))}
    main = [columns.pop(metric) for metric in (MAIN_WITH_PERCEPTION if perception else MAIN)]
    return main, list(columns.values())


# The other direction, of models that have it
TO_GRAY = (
    Column("psnr", "PSNR, dB", 1, "The gray that it makes against the true gray."),
    Column(
        "residual_chroma",
        "residual chroma",
        2,
        "Color left in its gray, over that of the photograph.",
        wish="lower",
    ),
    Column(
        "projection",
        "projection to gray",
        2,
        "The share of the way from the photograph to its gray.",
        wish="near 1",
    ),
    Column(
        "cycle_color_psnr",
        "color to gray to color, dB",
        1,
        "What comes back, against the photograph.",
        wish="higher",
    ),
    Column(
        "cycle_gray_psnr",
        "gray to color to gray, dB",
        1,
        "What comes back, against the gray.",
        wish="higher",
    ),
    Column(
        "hidden_color",
        "hidden color, dB",
        2,
        "How much better it colors its own gray than the true gray: color that it has hidden.",
        wish="near 0",
    ),
    Column(
        "hidden_color_gray",
        "hidden color in one channel, dB",
        2,
        "The same where only the lightness of its gray is kept: what is hidden in a pattern.",
        wish="near 0",
    ),
)
