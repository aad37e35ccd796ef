"""Check params.yaml as a whole before any work: keys, types, ranges, names, datasets.

And that dvc.yaml is up to date with it; --fix writes the lists that follow from it and the code.
"""

import argparse

from colorize.base import command
from stages import common, dependencies, parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write the generated lists of dvc.yaml")
    fix = parser.parse_args().fix
    params = parameters.check(parameters.load(common.PARAMS))
    sources = parameters.sources(params.data)
    (dependencies.fix if fix else dependencies.check)(common.PIPELINE, params.models, sources)
    print(
        f"params.yaml: {len(params.models)} models ({', '.join(params.models)}) on "
        f"{', '.join(params.data.datasets)} at {params.data.image_size} px"
    )


if __name__ == "__main__":
    command.run(main)
