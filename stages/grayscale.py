"""Stage `grayscale`: a gray copy of every photograph of the union."""

from colorize.base import command
from stages import common


def main() -> None:
    # Only here: worker processes import this module too, and need no pandas.
    from colorize.data.grayscale import grayscale

    params = common.read_params()
    with common.only_writer("grayscale", common.GRAY):
        grayscale(params.data, common.UNION, common.GRAY)


if __name__ == "__main__":
    command.run(main)
