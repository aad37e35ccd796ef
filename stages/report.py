"""Stage `report`: one page that compares all models."""

import pandas as pd

from colorize.base import command
from colorize.base.files import write_text
from colorize.comparison.significance import Significance
from colorize.data.reading import photographs
from colorize.data.reading.index import statistics
from colorize.data.union import SHEETS, read_datasheet
from colorize.evaluation.baselines import BASELINE, TRIVIAL
from colorize.report import pictures, tables
from colorize.report.page import page
from stages import common


def main() -> None:
    params = common.read_params()
    models = params.models
    for folder in (common.CURVES, common.VALIDATION, common.PICTURES):
        common.remove_others(folder, models)
    with common.only_writer("report", common.REPORT):
        rows = tables.rows_of(common.results(models), common.results(TRIVIAL))
        html = page(
            rows,
            baseline=BASELINE,
            significance=Significance.read(common.SIGNIFICANCE),
            parameters=models,
            datasets=params.data.datasets,
            statistics=statistics(common.UNION, params.data.image_size),
            datasheet=read_datasheet(common.UNION),
            sheets={
                path.stem: photographs.read(path, "RGB")
                for path in sorted((common.UNION / SHEETS).glob("*.jpg"))
            },
            losses={name: pd.read_csv(common.CURVES / f"{name}.csv") for name in models},
            validation={name: pd.read_csv(common.VALIDATION / f"{name}.csv") for name in models},
            pictures={name: pictures.read(common.PICTURES / name) for name in models},
            domains={
                name: pictures.read(folder)
                for name in models
                if (folder := common.PICTURES / name / pictures.DOMAINS).is_dir()
            },
        )
        write_text(common.REPORT, html)


if __name__ == "__main__":
    command.run(main)
