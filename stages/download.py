"""Stage `download`: fetch and verify the zips of `data.datasets`, or build the `sample`."""

import os
import sys

from colorize.base import command
from colorize.data.download import download
from stages import common
from stages.inputs import PIPELINE


def main() -> None:
    params = common.read_params()
    with common.only_writer("download", common.RAW):
        sources = download(params.data, common.RAW, common.SCRATCH / "zips")
    if "DVC_EXP_NAME" not in os.environ:  # an experiment is of its moment
        warn_of_unwatched(sources)


def warn_of_unwatched(sources: list[str]) -> None:
    """Say so where DVC would not notice that a catalog or a folder of photographs changes."""
    from stages import check  # only here: it takes torch

    for path in check.missing(sources):
        print(
            f"{PIPELINE}: it does not have {path}: DVC will not notice when that changes; "
            "`python -m stages.check --fix` fixes it",
            file=sys.stderr,
        )


if __name__ == "__main__":
    command.run(main)
