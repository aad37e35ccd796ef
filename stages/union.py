"""Stage `union`: every distinct photograph of the datasets once, split, and indexed."""

from colorize.base import command
from stages import common


def main() -> None:
    # Only here: worker processes import this module too, and need no pandas.
    from colorize.data.union import union

    params = common.read_params()
    with common.only_writer("union", common.UNION):
        union(params.data, common.RAW, common.UNION)


if __name__ == "__main__":
    command.run(main)
