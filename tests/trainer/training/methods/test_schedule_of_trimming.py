"""A trimmed model is fine-tuned with a schedule and an average of its own."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.validation.validation import validate
from tests.trainer.training.methods.test_gate_trim import INPUTS, MODEL, NAMES, _write

RATE, STEPS = 0.02, 4


def test_fine_tuning_goes_through_the_schedule_anew_and_without_a_long_warm_up(tmp_path):
    _write(tmp_path / "train.gz", 100 * STEPS, seed=1)
    _write(tmp_path / "validation.gz", 300, seed=2)
    settings = TrainingSettings(
        batch_size=100, shuffle_rows=100, epochs=2, learning_rate=RATE, patience=None, average=0.8,
        schedule={"name": "cosine", "warm_up_steps": STEPS},
    )  # fmt: skip
    spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in NAMES}
    job = TrainingJob(
        settings,
        INPUTS,
        lambda: RankingModel(INPUTS, MODEL),
        *(
            ExampleSet([str(tmp_path / f"{split}.gz")], spec, 100, True)
            for split in ("train", "validation")
        ),
        CheckpointFolder(str(tmp_path), "training"),
        tf.distribute.get_strategy(),
    )
    options = {"threshold": 0.9, "fine_tune_epochs": 1, "fine_tune_learning_rate": RATE / 2}
    result = TRAINING_METHODS.build("gate_trim", options, job).train()
    # The third is the model as it was trimmed: no step was taken.
    rates = [record["learning_rate"] for record in result.history.epochs if record["examples"]]
    # The first training's second epoch is all of its cosine, the fine-tuning's first one too.
    end = (1 + np.cos(np.pi * (STEPS - 1) / STEPS)) / 2
    assert rates == pytest.approx(
        [RATE * STEPS / (STEPS + 1), RATE * end, RATE / 2 * end], rel=1e-4
    )
    model = result.build_model()
    for variable, value in zip(model.variables, result.weights, strict=True):
        variable.assign(value)
    found = validate(model, job.validation.in_order(100), INPUTS.tasks)
    kept = result.history.epochs[result.history.best_epoch - 1]
    assert found.loss == pytest.approx(kept["validation_loss"], rel=1e-4)
