"""Stage `download`: fetch and verify the zips of `data.datasets`, or build the `sample`."""

from colorize.base import command
from colorize.data.download import download
from stages import common


def main() -> None:
    params = common.read_params()
    with common.only_writer("download", common.RAW):
        download(params.data, common.RAW, kept=common.SCRATCH / "zips")


if __name__ == "__main__":
    command.run(main)
