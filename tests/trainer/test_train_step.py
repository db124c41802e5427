"""One step against the same step written in NumPy, for a model linear in its feature."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.settings import TrainingSettings
from trainer.train_step import TrainStep
from transform.model_inputs import TaskSpec

TASKS = (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr"))
ROWS = 40
RATE = 0.5


class Linear(keras.Model):
    """One logistic regression per task."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, use_bias=False)

    def call(self, features, training=False):
        logits = self.dense(features["x"])
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return {
        "x": random.normal(size=(ROWS, 3)).astype("float32"),
        "click": random.integers(0, 2, ROWS),
        "buy": random.integers(0, 2, ROWS),
    }


def _step(batch, **settings):
    """Takes one SGD step; returns weights before and after it, and the task losses."""
    keras.utils.set_random_seed(1)
    model = Linear()
    values = TrainingSettings.read({"optimizer": "sgd", "learning_rate": RATE, **settings})
    step = TrainStep(model, TASKS, values, tf.distribute.get_strategy())
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    before = np.array(model.dense.kernel)
    losses = step(tensors).numpy()
    return before, np.array(model.dense.kernel), losses


class Embedded(keras.Model):
    """A bias per item."""

    def __init__(self):
        super().__init__()
        self.table = self.add_weight(shape=(3, 2), initializer="zeros")

    def call(self, features, training=False):
        logits = keras.ops.take(self.table, features["item"], axis=0)
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


def test_adam_adds_up_the_gradients_of_an_id_before_it_squares_them(batch):
    """Adam's first step has the length of the rate, however often an id occurs in the batch."""
    model = Embedded()
    values = TrainingSettings.read({"learning_rate": 0.01})
    step = TrainStep(model, TASKS, values, tf.distribute.get_strategy())
    item = np.zeros(ROWS, "int64")
    item[0] = 2
    tensors = {**batch, "item": item, "click": np.ones(ROWS, int), "buy": np.ones(ROWS, int)}
    tensors = {name: tf.constant(array) for name, array in tensors.items()}
    step.prepare(tensors)
    step(tensors)
    np.testing.assert_allclose(np.array(model.table)[[0, 2]], 0.01, rtol=1e-3)
    np.testing.assert_array_equal(np.array(model.table)[1], 0)


def _expected(weights, batch):
    """Mean loss of each task over its population, and its gradient."""
    x, labels = batch["x"].astype(float), np.stack([batch["click"], batch["buy"]], 1)
    p = 1 / (1 + np.exp(-x @ weights))
    mask = np.stack([np.ones(ROWS), batch["click"]], 1)
    counts = np.maximum(mask.sum(0), 1)
    losses = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)) * mask / counts
    return losses.sum(0), x.T @ ((p - labels) * mask / counts)


def test_step_follows_each_task_on_its_population(batch):
    before, after, losses = _step(batch)
    expected, gradient = _expected(before, batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(after, before - RATE * gradient, atol=1e-6)


def test_task_weights_scale_gradients_and_leave_losses(batch):
    before, after, losses = _step(batch, task_weights={"cvr": 3.0, "ctr": 0.0})
    expected, gradient = _expected(before, batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    np.testing.assert_allclose(after[:, 1], before[:, 1] - RATE * 3 * gradient[:, 1], atol=1e-6)


def test_l2_adds_the_weights_to_the_gradient_and_clipping_limits_the_norm(batch):
    before, after, _ = _step(batch, l2=0.3, clip_norm=0.05)
    gradient = _expected(before, batch)[1] + 0.3 * before
    gradient *= 0.05 / np.linalg.norm(gradient)
    np.testing.assert_allclose(after, before - RATE * gradient, atol=1e-6)
    assert np.linalg.norm((after - before) / RATE) == pytest.approx(0.05, rel=1e-4)


def test_terms_of_the_loss_are_added(batch):
    term = {"name": "binary_cross_entropy"}
    once, twice = _step(batch), _step(batch, loss=[term, term])
    np.testing.assert_allclose(twice[2], 2 * once[2], rtol=1e-6)
    np.testing.assert_allclose(twice[1] - twice[0], 2 * (once[1] - once[0]), atol=1e-6)


def test_a_batch_without_population_leaves_its_task_alone(batch):
    batch["click"][:] = 0
    before, after, losses = _step(batch)
    assert losses[1] == 0 and np.isfinite(losses).all()
    np.testing.assert_array_equal(after[:, 1], before[:, 1])
    assert (after[:, 0] != before[:, 0]).all()


class Joint(Linear):
    """ESMM on top of the logistic regressions."""

    def call(self, features, training=False):
        conditionals = super().call(features)["probabilities"]
        joint = conditionals * keras.ops.stack(
            [keras.ops.ones_like(conditionals[:, 0]), conditionals[:, 0]], axis=1
        )
        return {"probabilities": conditionals, "joint_probabilities": joint}


def test_a_loss_over_all_rows_counts_where_a_population_is_empty(batch):
    """Impressions without a click are the joint probability's negatives."""
    batch["click"][:] = 0
    model = Joint()
    values = TrainingSettings.read({"loss": [{"name": "entire_space_cross_entropy"}]})
    step = TrainStep(model, TASKS, values, tf.distribute.get_strategy())
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    click, buy = 1 / (1 + np.exp(-batch["x"].astype(float) @ np.array(model.dense.kernel))).T
    expected = [-np.log(1 - click).mean(), -np.log(1 - click * buy).mean()]
    np.testing.assert_allclose(step(tensors), expected, rtol=1e-4)


def test_decoupled_weight_decay(batch):
    plain, decayed = _step(batch), _step(batch, weight_decay=0.1)
    # Decay by rate · decay before the step: the gradient is that of the weights before.
    expected = plain[1] - RATE * 0.1 * plain[0]
    np.testing.assert_allclose(decayed[1], expected, atol=1e-6)
