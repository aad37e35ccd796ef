"""Stage `download`: fetch and verify the zips of `data.datasets`, or build the `sample`."""

from colorize.data.download import DownloadParameters, download
from stages import common


def main() -> None:
    data = common.data_section(common.read_params())
    parameters = DownloadParameters.pick(data, "data")
    download(parameters, common.RAW, kept=common.SCRATCH / "zips")


if __name__ == "__main__":
    common.run(main)
