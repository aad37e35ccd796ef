"""What evaluation writes of one row of the tables, metrics/results/NAME.json, and others read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from colorize.base.files import write_json
from colorize.base.parameters import Parameters

Split = Literal["val", "test"]
Count = Annotated[int, Field(ge=0)]


class Interval(Parameters):
    """A metric of a set of images, with its 95 % bootstrap interval.

    All None where the set does not define it; no bounds where the set is a single group.
    """

    mean: float | None
    low: float | None
    high: float | None


Metrics = dict[str, Interval]  # by their names in metrics.py


class SetMetrics(BaseModel):
    """Metrics of a set of images, each a key of its own, and how many images and groups it has."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: Metrics

    images: Count
    groups: Count

    @property
    def metrics(self) -> Metrics:
        return self.__pydantic_extra__


class Diagnostics(Parameters):
    """What a model is, and what it was trained with."""

    supervision: Literal["paired", "unpaired", "paired in effect"]
    pretrained: bool = False  # it started from what ImageNet's labels teach
    output: Literal["rgb", "ab"]
    parameters: Count  # weights of its generators
    multiply_adds: Count  # to color a photograph of its own size
    images_loaded: Count  # in training
    steps_before: Count = 0  # of the training that its own went on from
    kept_step: Count | None = None  # of its own steps, where it is not the last that was kept


class Result(Parameters):
    """Metrics of val and, where it was looked at, of test, over photographs alone."""

    val: Metrics
    test: Metrics | None = None
    # Over the images of each dataset in the headline's split: DATASET for its photographs,
    # DATASET/SIDE for other images
    by_dataset: dict[str, SetMetrics]
    images: Count  # that the headline stands on
    groups: Count
    images_val: Count
    groups_val: Count
    not_measured: dict[str, str]  # why some metrics are not there
    # Of models alone
    diagnostics: Diagnostics | None = None
    input_L: "Result | None" = None  # its colors on the photograph's own lightness
    chroma_scaled: "Result | None" = None  # its ab times `gain`
    gain: float | None = None
    to_gray: dict[Split, SetMetrics] | None = None
    domains: dict[Split, dict[str, dict[str, Metrics]]] | None = None  # by source and target

    @property
    def split(self) -> Split:
        """The headline's: test, or val where test was not looked at."""
        return "val" if self.test is None else "test"

    @property
    def headline(self) -> Metrics:
        return self.on(self.split)

    def on(self, split: Split) -> Metrics:
        return self.val if split == "val" else self.test

    def write(self, path: Path) -> None:
        write_json(path, self.values())

    def values(self) -> dict[str, Any]:
        """What the file holds."""
        return self.model_dump(exclude_unset=True)
