"""What the benchmarks time runs; how fast it is, no test says."""

import math
from typing import Any

import pytest

from benchmarks import trainer
from tests.conftest import METHODS


@pytest.mark.parametrize("method", METHODS)
def test_training_is_timed_for_every_method(tmp_path, method):
    settings: dict[str, Any] = {
        "method": method,
        "image_size": 64,
        "width": 4,
        "depth": 1,
        "batch_size": 2,
        "precision": "fp32",
        "device": "cpu",
        "compile": False,
        "workers": 0,
    }
    trainer.write_photographs(tmp_path, 64)
    for which in ("ours", "plain"):
        found = trainer.Trainer(which, settings, tmp_path)
        seconds, waited = found.run(1)
        assert 0 <= waited < seconds
        assert all(math.isfinite(loss) for loss in found.losses(1).values())
