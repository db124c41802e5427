"""Bi-level training of a small model whose two halves a fusion weight weighs."""

import dataclasses

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
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec
from tests.trainer.training.killed import train_killed

INPUTS = ModelInputs((), (), (), None, ("all",), (TaskSpec("ctr", "click"),))
SPEC = {
    "x": tf.io.FixedLenFeature([8], tf.float32),
    "click": tf.io.FixedLenFeature([], tf.int64),
}


class Fused(GradientModel):
    """logit = a · (w_1 x of the first four) + (1 − a) · (w_2 x of the others), with dropout."""

    def __init__(self):
        super().__init__()
        self.dropout = keras.layers.Dropout(0.2)
        self.left, self.right = keras.layers.Dense(1), keras.layers.Dense(1)
        self.fusion = self.add_weight(shape=(), initializer="zeros", name="fusion")
        self({"x": np.zeros((1, 8), "float32")})

    @property
    def fusion_variables(self):
        return [self.fusion]

    def call(self, features, training=False):
        values = self.dropout(features["x"], training=training)
        weight = keras.ops.sigmoid(self.fusion)
        logits = weight * self.left(values[:, :4]) + (1 - weight) * self.right(values[:, 4:])
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


class Plain(Fused):
    """The same model, with nothing to fuse."""

    fusion_variables = ()


def _write(path, rows, seed, relevant):
    """Clicks follow one of the values."""
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            x = random.normal(size=8)
            example = tf.train.Example()
            example.features.feature["x"].float_list.value.extend(x)
            click = int(random.random() < 1 / (1 + np.exp(-4 * x[relevant])))
            example.features.feature["click"].int64_list.value.append(click)
            writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Builds a job; in training the first value counts, in validation the last one."""
    folder = tmp_path_factory.mktemp("examples")
    _write(folder / "train.gz", 250, seed=1, relevant=0)
    _write(folder / "validation.gz", 200, seed=2, relevant=7)

    def function(build_model=Fused, **settings):
        defaults = {"batch_size": 50, "shuffle_rows": 100, "epochs": 2, "patience": None}
        values = TrainingSettings.read({**defaults, "learning_rate": 0.02, **settings})
        sets = [
            ExampleSet([str(folder / f"{split}.gz")], SPEC, values.shuffle_rows, True)
            for split in ("train", "validation")
        ]
        checkpoints = CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "training")
        return TrainingJob(
            values, INPUTS, build_model, *sets, checkpoints, tf.distribute.get_strategy()
        )

    return function


def _method(job, **options):
    return TRAINING_METHODS.build("bi_level", options, job)


def _trace(method):
    """Trains, and notes before and after each update what changed besides."""
    changes, update = [], method.fusion.update

    def noted(number, progress):
        before = [np.array(variable) for variable in method.loop.model.trainable_variables]
        update(number, progress)
        after = method.loop.model.trainable_variables
        names = [v.name for v, old in zip(after, before, strict=True) if (old != np.array(v)).any()]
        changes.append((number, names))

    method.fusion.update = noted
    method.train()
    return changes


def test_an_update_changes_the_fusion_weights_alone(make):
    # Once an epoch, and after steps 2, 4 (of epoch 1), 6, 8 and 10 (of epoch 2).
    for every_steps, numbers in ((None, [1, 1]), (2, [1, 2, 1, 2, 3])):
        method = _method(make(batch_size=48), every_steps=every_steps, held_out_share=0.04)
        assert _trace(method) == [(number, ["fusion"]) for number in numbers]


def test_the_main_optimiser_leaves_the_fusion_weights_alone(make):
    for options, moves in (({}, False), ({"main_trains_fusion": True}, True)):
        method = _method(make(epochs=1), learning_rate=1e-30, **options)
        method.train()
        assert (abs(float(method.loop.model.fusion)) > 1e-6) == moves
        assert float(tf.norm(method.loop.model.left.kernel)) > 0


@pytest.mark.parametrize("batch_from", ["validation", "train", "held_out"])
def test_batches_come_from_the_split_of_the_setting(make, batch_from):
    """In each split another half predicts the clicks, so that the weight goes to its half."""
    job = make(epochs=8, optimizer="sgd", learning_rate=1e-9)
    method = _method(job, batch_from=batch_from, learning_rate=1.0, every_steps=1)
    left, right = method.loop.model.left, method.loop.model.right
    left.kernel.assign(np.eye(4, 1))
    right.kernel.assign(np.eye(4, 1, k=-3))
    method.train()
    assert (float(method.loop.model.fusion) < -0.3) == (batch_from == "validation")
    assert (float(method.loop.model.fusion) > 0.3) == (batch_from != "validation")


def test_the_main_step_never_sees_the_held_out_rows(make):
    method = _method(make(epochs=3), every_steps=2, held_out_share=0.2)
    main, fusion, size = [], [], 50
    method.loop.step, method.fusion.step = (
        _Noted(method.loop.step, main),
        _Noted(method.fusion.step, fusion),
    )
    method.train()
    assert set.union(*main) & set.union(*fusion) == set()
    assert len(set.union(*main)) + len(set.union(*fusion)) == 250
    # Four batches an epoch, two updates; a fifth of the rows is one batch, which comes again.
    assert [len(batch) for batch in fusion] == [size] * 6


class _Noted:
    """A step that notes the rows that it is given."""

    def __init__(self, step, batches):
        self._inner, self._batches = step, batches

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def __call__(self, batch):
        self._batches.append({tuple(row) for row in batch["x"].numpy()})
        return self._inner(batch)


def test_a_split_too_small_to_hold_out_rows_is_refused(make):
    with pytest.raises(ValueError, match="holds out 0.0001% of the train .* too few rows"):
        _method(make(), held_out_share=1e-6)
    assert _method(make(), held_out_share=1e-6, batch_from="train").train().history.epochs


def test_notes_hold_the_fusion_weights_that_were_kept(make):
    job = make()
    result = _method(job, learning_rate=0.5).train()
    model = Fused()
    for variable, value in zip(model.variables, result.weights, strict=True):
        variable.assign(value)
    weight = float(keras.ops.sigmoid(model.fusion))
    assert result.history.notes == [f"Fusion weights, as sigmoids: fusion {weight:.3f}."]


def test_an_interrupted_training_ends_with_the_same_model(make):
    """Five steps per epoch; killed with a state of the second optimiser to be kept.

    With updates between the steps of an epoch: `test_schedules_in_training`.
    """
    options = {"every_steps": None, "learning_rate": 0.1, "held_out_share": 0.04}
    # Of the 240 rows that are not held out.
    settings = {"checkpoint_every_steps": 1, "batch_size": 48}
    expected = _method(make(**settings), **options).train()
    job = make(**settings)
    resumed, starts = train_killed(lambda: _method(job, **options), (3, 8))
    assert starts == [0, 3, 8]
    for one, other in zip(resumed.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_rows_whose_negatives_are_not_drawn_do_not_train_a_corrected_logit(make):
    job = make()
    (task,) = job.inputs.tasks
    tasks = (dataclasses.replace(task, kept_negatives=0.5),)
    job = dataclasses.replace(job, inputs=dataclasses.replace(job.inputs, tasks=tasks))
    with pytest.raises(SettingsError, match="'validation', whose negatives of 'ctr' are not"):
        _method(job, batch_from="validation")


def test_a_model_without_fusion_weights_is_refused(make):
    with pytest.raises(SettingsError, match="has none: choose 'standard'"):
        _method(make(Plain))
