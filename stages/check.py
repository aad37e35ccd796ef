"""Check params.yaml as a whole before any work: keys, types, ranges, names, datasets.

And that dvc.yaml has DVC watch the catalog and folders that photographs of one's own come from;
--fix writes them there.
"""

import argparse

from colorize.base import command
from colorize.base.errors import UserError
from stages import common, parameters, watched


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write what is missing into dvc.yaml")
    arguments = parser.parse_args()
    params = parameters.read(common.PARAMS)
    sources = parameters.sources(params.data)
    if arguments.fix:
        watched.write(sources)
    elif missing := watched.missing(sources):
        raise UserError(
            f"{common.PIPELINE}: it lacks {', '.join(missing)}; run `python -m stages.check --fix`"
        )
    print(
        f"params.yaml: {len(params.models)} models ({', '.join(params.models)}) on "
        f"{', '.join(params.data.datasets)} at {params.data.image_size} px"
    )


if __name__ == "__main__":
    command.run(main)
