import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from mtlx.trainer.losses import LOSSES
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click", "click"))
random = np.random.RandomState(0)
LABELS = random.randint(0, 2, (50, 2)).astype("float32")
MASK = np.stack([np.ones(50), LABELS[:, 0]], axis=1).astype("float32")
LOGITS = random.randn(50, 2).astype("float32")
PROBABILITIES = 1 / (1 + np.exp(-LOGITS))


def _build(**options):
    return LOSSES.build("binary_cross_entropy", options, TASKS)


@pytest.mark.parametrize("outputs", [{"logits": LOGITS}, {"probabilities": PROBABILITIES}])
def test_is_the_log_loss_of_the_population(outputs):
    losses = _build()(LABELS, outputs, MASK)
    clicked = MASK[:, 1] > 0
    assert losses.shape == (2,)
    np.testing.assert_allclose(losses[0], log_loss(LABELS[:, 0], PROBABILITIES[:, 0]), rtol=1e-4)
    expected = log_loss(LABELS[clicked, 1], PROBABILITIES[clicked, 1])
    np.testing.assert_allclose(losses[1], expected, rtol=1e-4)


def test_class_weights_per_task():
    loss = _build(positive_weight={"buy": 3.0}, negative_weight=0.5)
    losses = loss(LABELS, {"logits": LOGITS}, MASK).numpy()
    for task, positive in enumerate((1.0, 3.0)):
        y, p, m = LABELS[:, task], PROBABILITIES[:, task], MASK[:, task]
        rows = -(positive * y * np.log(p) + 0.5 * (1 - y) * np.log(1 - p))
        np.testing.assert_allclose(losses[task], (rows * m).sum() / m.sum(), rtol=1e-5)


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_empty_population_and_extreme_logits_stay_finite(size):
    logits = tf.constant(LOGITS * size)
    mask = MASK * [1.0, 0.0]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = _build()(LABELS, {"logits": logits}, mask)
    gradient = tape.gradient(losses, logits).numpy()
    assert losses[1] == 0
    assert np.isfinite(losses).all() and np.isfinite(gradient).all()
    assert (gradient[:, 1] == 0).all() and (gradient[:, 0] != 0).any()


@pytest.mark.parametrize("weight", [{"bye": 2.0}, {"buy": -1.0}])
def test_refuses_wrong_weights(weight):
    with pytest.raises(SettingsError, match="buy|negative"):
        _build(positive_weight=weight)
