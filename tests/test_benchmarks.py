"""What the benchmarks time runs; how fast it is, no test says."""

import math
from typing import Any

import pytest

from benchmarks import trainer, training
from tests.conftest import METHODS


def settings(method: str) -> dict[str, Any]:
    return {
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


@pytest.mark.parametrize("method", METHODS)
def test_training_is_timed_for_every_method(tmp_path, method):
    trainer.write_photographs(tmp_path, 64)
    for which in ("ours", "plain"):
        found = trainer.Trainer(which, settings(method), tmp_path)
        seconds, waited = found.run(1)
        assert 0 <= waited < seconds
        assert all(math.isfinite(loss) for loss in found.losses(1).values())


@pytest.mark.soak
def test_two_processes_are_timed_together(tmp_path):
    trainer.write_photographs(tmp_path, 64)
    assert training._launch((2, 1), settings("cyclegan"), tmp_path, 2) > 0
