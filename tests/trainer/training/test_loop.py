"""The loop, with a step and an addition of the test's own: who is asked what, and when."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.addition import Addition
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.loop import TrainingLoop
from mtlx.trainer.training.methods import TRAINING_METHODS, check_workers
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

INPUTS = ModelInputs((), (), (), None, ("all",), (TaskSpec("ctr", "click"),))
SPEC = {
    "x": tf.io.FixedLenFeature([2], tf.float32),
    "click": tf.io.FixedLenFeature([], tf.int64),
}


class Linear(GradientModel):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self({"x": np.zeros((1, 2), "float32")})

    def call(self, features, training=False):
        logits = self.dense(features["x"])
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


class Counting(Addition):
    """Counts its calls in a variable, which a checkpoint must hold."""

    def __init__(self):
        self.calls = []
        self.count = keras.Variable(0.0)

    @property
    def variables(self):
        return {"counts": [self.count]}

    def prepare(self, batch):
        self.calls.append(("prepare", sorted(batch)))

    def after_step(self, progress):
        self.count.assign_add(1.0)
        self.calls.append(("step", progress.step, progress.steps_in_epoch))

    def after_epoch(self, progress):
        self.calls.append(("epoch", progress.epoch))


@pytest.fixture
def job(tmp_path):
    random = np.random.default_rng(1)
    path = str(tmp_path / "rows.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for _ in range(20):
            x = random.normal(size=2)
            example = tf.train.Example()
            example.features.feature["x"].float_list.value.extend(x)
            example.features.feature["click"].int64_list.value.append(int(x[0] > 0))
            writer.write(example.SerializeToString())
    settings = TrainingSettings.read(
        {"batch_size": 10, "epochs": 2, "patience": None, "checkpoint_every_steps": 1}
    )
    rows = ExampleSet([path], SPEC, 20, True)
    checkpoints = CheckpointFolder(str(tmp_path), "training")
    return TrainingJob(
        settings, INPUTS, Linear, rows, rows, checkpoints, tf.distribute.get_strategy()
    )


def _loop(job, addition=None):
    model = job.gradient_model()
    step = OrdinaryStep(model, INPUTS.tasks, job.settings, job.strategy)
    return TrainingLoop(job, model, step, addition)


def test_an_addition_hears_of_every_step_and_epoch_and_its_state_is_restored(job):
    addition = Counting()
    loop = _loop(job, addition)
    loop.open()
    loop.run_epochs(2)
    assert addition.calls == [
        ("prepare", ["click", "x"]),
        *[("step", 1, 1), ("step", 2, 2), ("epoch", 1)],
        *[("step", 3, 1), ("step", 4, 2), ("epoch", 2)],
    ]
    again = Counting()
    resumed = _loop(job, again)
    resumed.open()
    assert float(again.count) == 4.0 and resumed.state.history.resumed_from_step == 4
    resumed.run_epochs(2)  # which are done
    assert [call[0] for call in again.calls] == ["prepare"]
    for one, other in zip(resumed.result().weights, loop.result().weights, strict=True):
        np.testing.assert_array_equal(one, other)


class Traced(Linear):
    """Notes the rows of a batch whenever it is called or traced, by whether it trains."""

    def __init__(self):
        self.seen = []
        super().__init__()

    def call(self, features, training=False):
        self.seen.append((training, features["x"].shape[0]))
        return super().call(features, training)


def test_prediction_is_not_traced_once_more_for_the_last_rows(job, monkeypatch):
    monkeypatch.setattr("mtlx.trainer.training.loop._VALIDATION_BATCH", 8)
    loop = _loop(dataclasses.replace(job, build_model=Traced))
    loop.open()
    loop.model.seen.clear()
    loop.run_epochs(2)  # each predicts batches of 8, 8 and 4 rows
    assert [rows for training, rows in loop.model.seen if not training] == [None]


def test_a_stage_begins_at_the_best_weights_and_counts_its_epochs_anew(job):
    loop = _loop(job)
    loop.open()
    loop.run_epochs(1)
    best = [np.array(value) for value in loop.state.best]
    for variable in loop.model.variables:
        variable.assign(np.full(variable.shape, 7.0))
    loop.begin_stage(schedule_steps=50)
    for variable, value in zip(loop.model.variables, best, strict=True):
        np.testing.assert_array_equal(variable, value)
    progress = loop.state.progress
    assert (progress.stage, progress.earlier_epochs, progress.epoch) == (2, 1, 2)
    assert progress.schedule_offset == 48 and progress.epochs_without_gain == 0


def test_every_method_keeps_the_base():
    alone = {name for name in TRAINING_METHODS if TRAINING_METHODS.get(name).one_machine}
    assert alone == {"gradient_boosting"}
    assert all(issubclass(TRAINING_METHODS.get(name), TrainingMethod) for name in TRAINING_METHODS)
    check_workers("standard", 2)
    with pytest.raises(ValueError, match="'gradient_boosting' runs on one machine, not on 2"):
        check_workers("gradient_boosting", 2)
