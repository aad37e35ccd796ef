"""Stage `grayscale`: a gray copy of every photograph of the union."""

from colorize.data.grayscale import GrayscaleParameters, grayscale
from stages import common


def main() -> None:
    data = common.data_section(common.read_params())
    grayscale(GrayscaleParameters.pick(data, "data"), common.UNION, common.GRAY)


if __name__ == "__main__":
    common.run(main)
