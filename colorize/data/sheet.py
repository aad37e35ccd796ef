"""What the union took: colors to learn from, and of each dataset counts, colors and pictures."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from PIL import Image

from colorize.base.errors import UserError
from colorize.data.palette import Palette, histogram, pool
from colorize.data.reading import photographs

# In the union's folder
DATASHEET = "datasheet.json"
SHEETS = "sheets"  # contact sheets, one a dataset

REJECT_REASONS = ("duplicate", "near-duplicate", "group", "gray", "small", "side", "rejected")

SHEET = (12, 2)  # pictures across and down
TILE = 64  # pixels


def training_statistics(
    index: pd.DataFrame, palettes: Mapping[str, Palette], image_size: int
) -> dict:
    """Mean a and b, and the ab histogram, of the photographs to train on; counts of all images."""
    kept = index[index["kept"]]
    counts = kept.groupby("split").size()
    train = kept[(kept["split"] == "train") & (kept["side"] == "photograph")]
    if train.empty:
        raise UserError("data.datasets: no photograph is left for training")
    colors = pool(map(palettes.__getitem__, sorted(train["name"])))
    return {
        "image_size": image_size,
        "images": {split: int(counts[split]) for split in ("train", "val", "test")},
        "mean_ab": [round(float(x), 6) for x in colors.ab_sum / colors.pixels],
        "ab_histogram": histogram(colors),
    }


def datasheet(
    index: pd.DataFrame,
    palettes: Mapping[str, Palette],
    ignored: dict[str, dict[str, int]],
) -> dict[str, dict]:
    """{dataset: counts and colors}; `index` as in index.csv, `palettes` by a photograph's name."""
    return {
        name: _entry(index[index["dataset"] == name], palettes) | {"ignored": ignored[name]}
        for name in ignored
    }


def _entry(rows: pd.DataFrame, palettes: Mapping[str, Palette]) -> dict:
    kept = rows[rows["kept"]]
    splits = kept["split"].value_counts()
    of_test = rows["duplicate_of"].str.contains("^[^/]+/test", regex=True)
    colors = pool(map(palettes.__getitem__, kept["name"]))
    return {
        "files": len(rows),
        "images": {split: int(splits.get(split, 0)) for split in ("train", "val", "test")},
        "left_out": {
            reason: int((rows["reject_reason"] == reason).sum()) for reason in REJECT_REASONS
        },
        # Training images that are test images too, here or in another dataset.
        "leaks": int(((rows["split"] == "train") & of_test).sum()),
        "colorfulness": round(colors.colorfulness / len(kept), 3) if len(kept) else None,
        "ab_histogram": histogram(colors) if len(kept) else None,
    }


def contact_sheet(folder: Path, names: list[str]) -> Image.Image:
    """The first of `names`, by hash and so at random, as one picture of small squares."""
    across, down = SHEET
    sheet = Image.new("RGB", (across * TILE, down * TILE), "white")
    for number, name in enumerate(sorted(names)[: across * down]):
        image = photographs.read(folder / name, "RGB")
        image = photographs.resize(image, TILE, Image.Resampling.LANCZOS)
        tile = photographs.center_crop(image, TILE)
        sheet.paste(tile, (number % across * TILE, number // across * TILE))
    return sheet
