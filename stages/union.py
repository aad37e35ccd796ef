"""Stage `union`: every distinct photograph of the datasets once, split, and indexed."""

from colorize.data.union import UnionParameters, union
from stages import common


def main() -> None:
    data = common.data_section(common.read_params())
    union(UnionParameters.pick(data, "data"), common.RAW, common.UNION)


if __name__ == "__main__":
    common.run(main)
