"""The two stages of meta-learning: where the second starts, when it ends, how it resumes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.training.methods.meta import Meta
from mtlx.trainer.training.methods.standard import Standard
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec
from tests.trainer.training.killed import train_killed

TASKS = (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr"))
INPUTS = ModelInputs((), (), (), None, ("all",), TASKS)
SPEC = {
    "x": tf.io.FixedLenFeature([4], tf.float32),
    "click": tf.io.FixedLenFeature([], tf.int64),
    "buy": tf.io.FixedLenFeature([], tf.int64),
}


class Dropping(GradientModel):
    """A hidden layer with dropout, trained by uncertainty weighting."""

    default_losses = ({"name": "uncertainty_weighting"},)

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(8, activation="relu")
        self.dropout = keras.layers.Dropout(0.3)
        self.towers = keras.layers.Dense(2)

    def call(self, features, training=False):
        hidden = self.dropout(self.hidden(features["x"]), training=training)
        logits = self.towers(hidden)
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


def _write(path, rows, seed):
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            x = random.normal(size=4)
            click = int(random.random() < 1 / (1 + np.exp(-3 * x[0])))
            buy = int(click and random.random() < 1 / (1 + np.exp(-3 * x[1])))
            example = tf.train.Example()
            example.features.feature["x"].float_list.value.extend(x)
            example.features.feature["click"].int64_list.value.append(click)
            example.features.feature["buy"].int64_list.value.append(buy)
            writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Builds a job with checkpoints of its own; four steps per epoch."""
    folder = tmp_path_factory.mktemp("examples")
    _write(folder / "train.gz", 256, seed=1)
    _write(folder / "validation.gz", 200, seed=2)

    def function(**settings):
        defaults = {"batch_size": 64, "shuffle_rows": 100, "epochs": 2, "learning_rate": 0.02}
        values = TrainingSettings.read({**defaults, "checkpoint_every_steps": 2, **settings})
        sets = [
            ExampleSet([str(folder / f"{split}.gz")], SPEC, 100, True)
            for split in ("train", "validation")
        ]
        checkpoints = CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "training")
        strategy = tf.distribute.get_strategy()
        return TrainingJob(values, INPUTS, Dropping, *sets, checkpoints, strategy)

    return function


@pytest.fixture(scope="module")
def uninterrupted(make):
    return Meta(make(), epochs=2).train()


def _assert_same(first, second):
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    fields = ("loss", "task_loss", "validation_auc", "validation_loss", "examples")
    for one, other in zip(first.history.epochs, second.history.epochs, strict=True):
        assert {name: one[name] for name in fields} == {name: other[name] for name in fields}


def test_stage_1_is_standard_training_and_stage_2_something_else(make, uninterrupted):
    standard = Standard(make(epochs=4)).train().history.epochs
    meta = uninterrupted.history.epochs
    assert [record["epoch"] for record in meta] == [1, 2, 3, 4]
    assert [record["loss"] for record in meta[:2]] == [record["loss"] for record in standard[:2]]
    assert meta[2]["loss"] != standard[2]["loss"]
    best = min(range(4), key=lambda i: meta[i]["selection"])
    assert uninterrupted.history.best_epoch == best + 1
    assert uninterrupted.history.kept.startswith(f"Epoch {best + 1} of 4 is kept: ")


def test_stage_2_starts_from_the_best_epoch_and_has_patience_of_its_own(make):
    """Stage 1 overshoots; after it, steps this small change nothing."""
    job = make(epochs=6, patience=2, learning_rate=0.3)
    method = Meta(job, epochs=9)
    begin = method.loop.begin_stage
    seen = {}

    def stopped(*steps):
        begin(*steps)
        seen.update(
            epochs=len(method.loop.state.history.epochs), best=method.loop.state.history.best_epoch
        )
        seen["at_best"] = all(
            np.array_equal(variable, value)
            for variable, value in zip(
                method.loop.model.variables, method.loop.state.best, strict=True
            )
        )
        method.loop.step.optimizer.learning_rate.assign(1e-30)

    method.loop.begin_stage = stopped
    result = method.train()
    assert seen["best"] < seen["epochs"] and seen["at_best"]
    assert len(result.history.epochs) == seen["epochs"] + 2
    assert result.history.best_epoch == seen["best"]


def test_an_interrupted_training_ends_with_the_same_model(make, uninterrupted):
    """Four steps per epoch, eight per stage: in both stages, and between them."""
    job = make()
    resumed, starts = train_killed(lambda: Meta(job, epochs=2), (3, 8, 13))
    assert starts == [0, 2, 8, 12]
    _assert_same(resumed, uninterrupted)


def test_a_training_killed_after_its_last_epoch_is_not_repeated(make, uninterrupted):
    job = make()
    Meta(job, epochs=2).train()
    again = Meta(job, epochs=2).train()
    assert len(again.history.epochs) == 4
    _assert_same(again, uninterrupted)


def test_second_order_is_another_training_and_epochs_default_to_the_trainings(make, uninterrupted):
    result = Meta(make(), second_order=True).train()
    assert len(result.history.epochs) == 4
    assert result.history.epochs[2]["loss"] != uninterrupted.history.epochs[2]["loss"]


def test_options_are_checked():
    with pytest.raises(SettingsError, match="did you mean 'second_order'"):
        TRAINING_METHODS.validate("meta", {"second_ordr": True})
    with pytest.raises(SettingsError, match="greater than 0"):
        TRAINING_METHODS.validate("meta", {"adaptation_rate": 0})
