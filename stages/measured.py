"""What the stages `evaluate` and `baselines` measure: the same photographs, in the same ways."""

import torch

from colorize.data.index import Index, check_gray, statistics
from colorize.evaluation import perceptual
from colorize.evaluation.protocol import Photographs
from stages import common
from stages.common import GRAY, UNION
from stages.parameters import Params


def photographs(params: Params, device: torch.device) -> Photographs:
    """Raises UserError where the data stages have to run again, or weights are not those named."""
    image_size, evaluate = params.data.image_size, params.evaluate
    of_training = statistics(UNION, image_size)
    check_gray(UNION, GRAY)
    networks = None
    if evaluate.weights is not None:
        networks = perceptual.read(common.from_root(evaluate.weights), device)
    return Photographs(
        Index.read(UNION),
        UNION,
        GRAY,
        of_training,
        image_size,
        evaluate.validation_max,
        device,
        networks,
    )
