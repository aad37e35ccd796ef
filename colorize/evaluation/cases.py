"""Which photographs are shown: the same ones for every model, and each one's extremes."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Case:
    """A photograph that is shown, and why."""

    photograph: str  # its name in the union
    dataset: str
    kind: str  # fixed, best, median or worst
    ciede2000: float  # of the model's own picture

    @property
    def caption(self) -> str:
        kind = "" if self.kind == "fixed" else f", {self.kind}"
        return f"{self.dataset}{kind}: CIEDE2000 {self.ciede2000:.1f}"


def fixed(images: pd.DataFrame, split: str, count: int) -> list[Case]:
    """`count` photographs of the split, from its datasets by turns, and from a dataset's groups by
    turns, each time the first by name.

    images: what metrics/images/NAME.parquet holds. A name is a hash of the photograph's content, so
    this is a random choice that nobody made, the same for every model.
    """
    ranked = _photographs(images, split).sort_values("name")
    ranked["of_group"] = ranked.groupby(["dataset", "group"]).cumcount()
    ranked = ranked.sort_values("of_group", kind="stable")
    ranked["turn"] = ranked.groupby("dataset").cumcount()
    chosen = ranked.sort_values(["turn", "dataset"], kind="stable")[:count]
    return [_case(line, "fixed") for _, line in chosen.iterrows()]


def extremes(images: pd.DataFrame, split: str) -> list[Case]:
    """Of each dataset the best, the median and the worst photograph by CIEDE2000, in this order.

    Of equal ones the first by name. One that would stand there twice, for there are fewer than
    three, stands there once.
    """
    cases = []
    for _, of_dataset in _photographs(images, split).groupby("dataset", sort=True):
        ranked = of_dataset.sort_values(["ciede2000", "name"])
        last = len(ranked) - 1
        places = {last: "worst", last // 2: "median", 0: "best"}
        cases += [_case(ranked.iloc[place], kind) for place, kind in sorted(places.items())]
    return cases


def _photographs(images: pd.DataFrame, split: str) -> pd.DataFrame:
    return images[(images["split"] == split) & (images["side"] == "photograph")]


def _case(line: pd.Series, kind: str) -> Case:
    return Case(line["name"], line["dataset"], kind, round(float(line["ciede2000"]), 3))
