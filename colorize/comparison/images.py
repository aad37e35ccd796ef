"""metrics/images/NAME.parquet, read back: what was measured of each photograph, by row."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from colorize.base.errors import UserError, one_line

# What stands beside a model's own row, as NAME_pasted and NAME_scaled
DERIVED = ("pasted", "scaled")


def parts_of(name: str) -> tuple[str, str]:
    """The model, or trivial row, whose file has the row of that name, and which of its rows it is:
    `own` or one of DERIVED.
    """
    model, _, kind = name.rpartition("_")
    return (model, kind) if kind in DERIVED else (name, "own")


def row_named(folder: Path, name: str, split: str) -> "Row":
    """Of metrics/images/, the row of the tables with that name. Raises UserError as `Row` does."""
    model, kind = parts_of(name)
    return Row(folder / f"{model}.parquet", split, kind)


class Row:
    """The quantities of one row of the tables, over the photographs of a split.

    row: `own`, `pasted` or `scaled`; a model that keeps lightness has no row `pasted`, which would
    be its own again. Each quantity is read when it is asked for: the histograms of all rows at once
    would not fit in memory. Raises UserError where the file is missing, or no evaluation's, and for
    a quantity that was not measured.
    """

    def __init__(self, path: Path, split: str, row: str = "own"):
        self.path = path
        try:
            self._columns = pyarrow.parquet.read_schema(path).names
            keys = pd.read_parquet(path, columns=["name", "group", "side", "split"])
        except FileNotFoundError:
            raise UserError(f"{path}: missing; run `dvc repro` to make it") from None
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise UserError(f"{path}: not the result of an evaluation: {one_line(error)}") from None
        self._of_split = ((keys["split"] == split) & (keys["side"] == "photograph")).to_numpy()
        self.names = keys["name"][self._of_split].tolist()
        self.groups = keys["group"][self._of_split].tolist()
        self._prefix = f"{row}_" if f"{row}_ciede2000" in self._columns else ""

    def __getitem__(self, quantity: str) -> np.ndarray:
        """Of each photograph: (n,) or, of a histogram, (n, k)."""
        if quantity == "images":
            return np.ones(len(self.names))
        own = self._prefix + quantity
        # What is of the truth is the same for all rows, and stands once.
        column = own if own in self._columns else quantity
        if column not in self._columns:
            raise UserError(f"{self.path}: {quantity} was not measured; see evaluate.weights")
        values = pd.read_parquet(self.path, columns=[column])[column][self._of_split]
        return np.array(values.tolist())
