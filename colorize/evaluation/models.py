"""A trained model on the photographs of the protocol: all of its rows, and the other direction."""

import pandas as pd

from colorize.evaluation import directions, protocol
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.colors import Colors


def evaluate(
    name: str, colors: Colors, photographs: protocol.Photographs, asked: protocol.EvaluateParameters
) -> tuple[dict, pd.DataFrame]:
    """What metrics/results/NAME.json holds of a model, and the lines of its photographs.

    All rows of `Colors.rows`, and the other direction, where the model has it.
    """
    splits, resamples = asked.splits, asked.resamples
    network, p = colors.model, colors.model.p
    at_a_time = 2 if network.sampling == "unpaired" else 1
    gain = colors.fit_gain(photographs) if name == BASELINE else None
    rows = protocol.evaluate(lambda batch: colors.rows(batch, gain), photographs, splits, resamples)
    result, images = rows.pop("own")
    result["diagnostics"] = {
        "supervision": network.supervision,
        "pretrained": network.pretrained,
        "output": network.output,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "multiply_adds": colors.multiply_adds(),
        "images_loaded": p.steps * p.batch_size * at_a_time,
    }
    for row, evaluated in rows.items():
        result[row] = evaluated.result
        images = images.join(_own_quantities(evaluated.images).add_prefix(f"{row}_"))
    if "input_L" in result:
        for split in splits:
            result[split]["ciede2000_input_L"] = result["input_L"][split]["ciede2000"]
    if gain is not None:
        result["chroma_scaled"]["diagnostics"] = {"gain": gain}
    if "gray" in network.targets:
        result["to_gray"], quantities = directions.evaluate_gray(
            colors, photographs, splits, resamples
        )
        images = images.join(quantities.add_prefix("to_gray_"), on="name")
    if len(network.domains) > 2:
        result["domains"] = directions.evaluate_domains(colors, photographs, splits, resamples)
    return result, images


def _own_quantities(images: pd.DataFrame) -> pd.DataFrame:
    """Without what is the same for all rows of a photograph."""
    return images.drop(columns=[c for c in images if c in protocol.KEYS or c.endswith("_of_truth")])
