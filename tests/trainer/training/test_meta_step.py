"""A meta step against the same step in NumPy, for two tasks that share one weight vector."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.meta_step import MetaStep, halves
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr"))
#: Logit t is SLOPES[t] · xᵀθ, so that each task's own step moves the other task's logit.
SLOPES = np.array([1.0, -2.0])
RATE, ADAPTATION_RATE, ROWS = 0.5, 0.8, 41


class Shared(GradientModel):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.dense = keras.layers.Dense(1, use_bias=False)
        self.dropout = keras.layers.Dropout(dropout)

    def call(self, features, training=False):
        rows = self.dropout(features["x"], training=training)
        logits = self.dense(rows) * SLOPES.astype("float32")
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return {
        "x": random.normal(size=(ROWS, 3)).astype("float32"),
        "click": random.integers(0, 2, ROWS),
        "buy": random.integers(0, 2, ROWS),
    }


def _step(batch, second_order=False, model=None, **settings):
    """Takes one SGD step; returns weights before and after it, and the losses."""
    keras.utils.set_random_seed(1)
    model = model or Shared()
    values = TrainingSettings.read({"optimizer": "sgd", "learning_rate": RATE, **settings})
    strategy = tf.distribute.get_strategy()
    step = MetaStep(
        OrdinaryStep(model, TASKS, values, strategy), model, strategy, ADAPTATION_RATE, second_order
    )
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    before = np.array(model.dense.kernel, "float64")[:, 0]
    losses = step(tensors).numpy()
    return before, np.array(model.dense.kernel)[:, 0], losses


def _loss(theta, batch, rows, task):
    """L_t on some rows, its gradient and its Hessian."""
    x, y = batch["x"][rows].astype("float64"), batch[TASKS[task].label][rows]
    mask = np.ones(len(x)) if task == 0 else batch["click"][rows]
    p = 1 / (1 + np.exp(-SLOPES[task] * (x @ theta)))
    weights = mask / max(mask.sum(), 1)
    loss = -np.sum(weights * (y * np.log(p) + (1 - y) * np.log(1 - p)))
    gradient = x.T @ (weights * (p - y)) * SLOPES[task]
    hessian = x.T @ (x * (weights * p * (1 - p))[:, None]) * SLOPES[task] ** 2
    return loss, gradient, hessian


def _expected(theta, batch, second_order, task_weights=(1.0, 1.0)):
    """Losses of the adapted models, and the gradient of their sum by θ."""
    support, query = slice(0, ROWS // 2), slice(ROWS // 2, ROWS)
    losses, total = [], np.zeros(3)
    for task in range(2):
        _, gradient, hessian = _loss(theta, batch, support, task)
        loss, slope, _ = _loss(theta - ADAPTATION_RATE * gradient, batch, query, task)
        if second_order:
            slope = slope - ADAPTATION_RATE * hessian @ slope
        losses.append(loss)
        total += task_weights[task] * slope
    return losses, total


@pytest.mark.parametrize("second_order", [False, True])
def test_one_step_is_algorithm_1(batch, second_order):
    before, after, losses = _step(batch, second_order)
    expected, gradient = _expected(before, batch, second_order)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(after, before - RATE * gradient, atol=1e-6)
    other = _expected(before, batch, not second_order)[1]
    assert np.abs(gradient - other).max() > 1e-3


def test_task_weights_and_l2_are_the_outer_steps(batch):
    before, after, losses = _step(batch, task_weights={"cvr": 3.0}, l2=0.1)
    expected, gradient = _expected(before, batch, False, (1.0, 3.0))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(after, before - RATE * (gradient + 0.1 * before), atol=1e-6)


def test_support_and_query_are_disjoint_halves(batch):
    batch["row"] = np.arange(ROWS)
    support, query = halves({name: tf.constant(array) for name, array in batch.items()})
    assert support.keys() == query.keys() == batch.keys()
    first, second = support["row"].numpy().tolist(), query["row"].numpy().tolist()
    assert first + second == list(range(ROWS)) and len(first) == 20 and len(second) == 21
    np.testing.assert_array_equal(support["x"], batch["x"][:20])


def test_labels_of_the_support_set_only_adapt(batch):
    """Without adaptation nothing of the support set would reach the losses."""
    before = _step(batch)[2]
    batch["click"][: ROWS // 2] = 1 - batch["click"][: ROWS // 2]
    assert np.abs(_step(batch)[2] - before).max() > 1e-3


def test_a_single_row_and_an_empty_population_stay_finite(batch):
    batch["click"][:] = 0
    one = {name: array[:1] for name, array in batch.items()}
    for rows in (batch, one):
        _, after, losses = _step(rows, second_order=True)
        assert losses[1] == 0 and np.isfinite(losses).all() and np.isfinite(after).all()


def test_learnt_task_weights_are_stepped_and_dropout_goes_on(batch):
    model = Shared(dropout=0.5)
    values = TrainingSettings.read(
        {"optimizer": "sgd", "learning_rate": 1e-6, "loss": [{"name": "uncertainty_weighting"}]}
    )
    strategy = tf.distribute.get_strategy()
    usual = OrdinaryStep(model, TASKS, values, strategy)
    step = MetaStep(usual, model, strategy, ADAPTATION_RATE, False)
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    (log_sigma,) = usual.loss_variables
    started = np.array(log_sigma)
    first, second = step(tensors).numpy(), step(tensors).numpy()
    assert (np.array(log_sigma) != started).all()
    assert np.abs(first - second).max() > 1e-3  # steps this small change the dropout alone
