"""A trained model on the photographs of the protocol: all of its rows, and the other direction."""

from collections.abc import Sequence

import pandas as pd

from colorize.evaluation import directions, protocol
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.colors import Colors
from colorize.evaluation.results import Diagnostics, Split


def evaluate(
    name: str,
    colors: Colors,
    photographs: protocol.Photographs,
    splits: Sequence[Split],
    resamples: int,
) -> protocol.Evaluated:
    """All rows of `Colors.rows`, and the other direction, where the model has it."""
    network, trained = colors.model, colors.model.trained
    at_a_time = 2 if network.sampling == "unpaired" else 1
    gain = colors.fit_gain(photographs) if name == BASELINE else None
    rows = protocol.evaluate(lambda batch: colors.rows(batch, gain), photographs, splits, resamples)
    result, images = rows.pop("own")
    diagnostics = Diagnostics(
        supervision=network.supervision,
        pretrained=network.pretrained,
        output=network.output,
        parameters=sum(weights.numel() for weights in network.parameters()),
        multiply_adds=colors.multiply_adds(),
        images_loaded=trained.images * at_a_time,
        steps_before=trained.steps_before,
        kept_step=trained.kept_step,
    )
    more = {"diagnostics": diagnostics}
    for row, evaluated in rows.items():
        more[row] = evaluated.result
        images = images.join(_own_quantities(evaluated.images).add_prefix(f"{row}_"))
    if "input_L" in more:
        for split in splits:
            of_input_L = more["input_L"].on(split)["ciede2000"]
            more[split] = result.on(split) | {"ciede2000_input_L": of_input_L}
    if gain is not None:
        more["gain"] = gain
    how = colors, photographs, splits, resamples
    if "gray" in network.targets:
        more["to_gray"], quantities = directions.evaluate_gray(*how)
        images = images.join(quantities.add_prefix("to_gray_"), on="name")
    if len(network.domains) > 2:
        more["domains"] = directions.evaluate_domains(*how)
    return protocol.Evaluated(result.model_copy(update=more), images)


def _own_quantities(images: pd.DataFrame) -> pd.DataFrame:
    """Without what is the same for all rows of a photograph."""
    return images.drop(columns=[c for c in images if c in protocol.KEYS or c.endswith("_of_truth")])
