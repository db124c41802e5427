import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec

#: pay is defined on clicks, as cart is: both are compared on all impressions.
TASKS = (
    TaskSpec("click", "c"),
    TaskSpec("cart", "a", "click"),
    TaskSpec("buy", "b", "cart", "cart"),
    TaskSpec("pay", "p", "cart", "click"),
)
RANDOM = np.random.RandomState(0)
LOGITS = RANDOM.randn(50, 4).astype("float32")
LABELS = MASK = np.ones((50, 4), "float32")


def _loss(logits, tasks=TASKS, **options):
    loss = LOSSES.build("behavioural_expectation_calibrator", options, tasks)
    return loss(LABELS, {"logits": logits}, MASK * 0)


def test_counts_what_a_task_is_likelier_than_the_one_before_it():
    click, cart, buy, pay = (1 / (1 + np.exp(-LOGITS.astype("float64")))).T
    expected = np.zeros(4)
    for row in range(50):
        expected[1] += max(cart[row] - click[row], 0) / 50
        expected[2] += max(buy[row] * cart[row] - cart[row], 0) / 50
        expected[3] += max(pay[row] * click[row] - cart[row], 0) / 50
    np.testing.assert_allclose(_loss(LOGITS), 0.6 * expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(_loss(LOGITS, weight=2.0), 2 * expected, rtol=1e-4, atol=1e-7)
    assert expected[1] > 0.02 and expected[3] > 0.02


def test_a_rate_on_the_preceding_tasks_positives_is_never_too_high():
    """A conversion rate of clicks above the rate of clicks is no contradiction."""
    tasks = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click", "click"))
    logits = np.stack([np.full(50, -3.0), np.full(50, 5.0)], 1).astype("float32")
    np.testing.assert_allclose(_loss(logits, tasks), 0, atol=1e-7)
    everywhere = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click"))
    assert _loss(logits, everywhere)[1] > 0.5


def test_moves_both_probabilities_where_they_contradict():
    tasks = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click"))
    logits = tf.constant(np.repeat([[-1.0, 1.0], [1.0, -1.0]], 25, axis=0).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(_loss(logits, tasks))
    gradient = tape.gradient(total, logits).numpy()
    assert (gradient[:25, 0] < 0).all() and (gradient[:25, 1] > 0).all()
    assert (gradient[25:] == 0).all()


def test_refuses_a_negative_weight():
    with pytest.raises(SettingsError, match="greater than or equal"):
        _loss(LOGITS, weight=-1.0)
