"""What smoothed labels make a model learn, for every loss that has the option."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click", "click"))
#: A tenth of 400 rows are clicks, of which a quarter are purchases; half of the rows per domain.
ROWS, SMOOTHING = 400, 0.2
CLICK = (np.arange(ROWS) % 10 == 0).astype("float32")
BUY = (np.arange(ROWS) % 40 == 0).astype("float32")
LABELS = np.stack([CLICK, BUY], axis=1)
MASK = np.stack([np.ones(ROWS, "float32"), CLICK], axis=1)
DOMAINS = tf.constant(np.arange(ROWS) // (ROWS // 2))
RATES = np.array([0.1, 0.25])
HALF = (1 - SMOOTHING) * RATES + SMOOTHING / 2


def _optimum(name, outputs_of=lambda z: {"logits": z}, **options):
    """The probabilities ``(T,)``, the same for all rows, at which the loss is the least."""
    loss = LOSSES.build(name, options, TASKS)
    logits = tf.Variable([-1.0, -1.0])
    optimizer = tf.keras.optimizers.Adam(0.1)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = outputs_of(tf.tile(logits[None], [ROWS, 1]))
            total = tf.reduce_sum(loss(LABELS, {**outputs, "domain_id": DOMAINS}, MASK))
        optimizer.apply_gradients([(tape.gradient(total, logits), logits)])

    for _ in range(250):
        step()
    return 1 / (1 + np.exp(-logits.numpy()))


CASES = {
    "binary_cross_entropy": {},
    "domain_cross_entropy": {},
    # Without its weights it is the cross-entropy.
    "focal": {"gamma": 0.0, "alpha": None},
}


@pytest.mark.parametrize("name", CASES)
def test_the_optimum_is_the_smoothed_rate(name):
    plain = _optimum(name, **CASES[name])
    half = _optimum(name, **CASES[name], label_smoothing=SMOOTHING)
    np.testing.assert_allclose(plain, RATES, atol=2e-3)
    np.testing.assert_allclose(half, HALF, atol=2e-3)


@pytest.mark.parametrize("name", CASES)
def test_towards_the_base_rate_the_mean_prediction_stays(name):
    options = {**CASES[name], "label_smoothing": SMOOTHING, "smooth_towards": "base_rate"}
    np.testing.assert_allclose(_optimum(name, **options), RATES, atol=2e-3)


def test_towards_the_base_rate_a_certain_row_is_less_certain():
    """Where the features tell all, the probabilities are (1 − s) y + s q."""
    options = {"label_smoothing": SMOOTHING, "smooth_towards": "base_rate"}
    loss = LOSSES.build("binary_cross_entropy", options, TASKS)
    certain = (1 - SMOOTHING) * LABELS + SMOOTHING * RATES
    logits = tf.constant(np.log(certain / (1 - certain)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(loss(LABELS, {"logits": logits}, MASK))
    np.testing.assert_allclose(tape.gradient(total, logits), 0, atol=1e-6)


@pytest.mark.parametrize("towards", ["half", "base_rate"])
def test_the_entire_space_smooths_joint_labels(towards):
    """Purchases are 2.5 % of all rows, whatever the population."""
    joint = np.array([0.1, 0.025])

    def outputs_of(z):
        return {"joint_probabilities": tf.sigmoid(z)}

    options = {"label_smoothing": SMOOTHING, "smooth_towards": towards}
    found = _optimum("entire_space_cross_entropy", outputs_of, **options)
    expected = (1 - SMOOTHING) * joint + SMOOTHING / 2 if towards == "half" else joint
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_uncertainty_weighting_passes_it_on():
    loss = LOSSES.build(
        "uncertainty_weighting", {"loss_options": {"label_smoothing": SMOOTHING}}, TASKS
    )
    assert loss.task_loss.smoothing == SMOOTHING
