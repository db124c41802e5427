"""PWiseR's sorted sums against all pairs, one by one."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.losses.pwiser import pairwise_squared_hinge
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("like", "like"),
    TaskSpec("cart", "cart", "click", "click"),
    TaskSpec("buy", "buy", "cart", "cart"),
)


def _mean_hinge(scores, above, below, margin):
    """The mean over all pairs, and its gradient by the scores."""
    pairs = [(i, j) for i in np.flatnonzero(above) for j in np.flatnonzero(below)]
    total, gradient = 0.0, np.zeros(len(scores))
    for i, j in pairs:
        gap = scores[i] - scores[j]
        if gap < margin:
            total += (margin - gap) ** 2
            gradient[i] -= 2 * (margin - gap)
            gradient[j] += 2 * (margin - gap)
    return total / max(len(pairs), 1), gradient / max(len(pairs), 1)


def _batch(seed, rows=80):
    random = np.random.RandomState(seed)
    click = random.rand(rows) < 0.5
    cart = click & (random.rand(rows) < 0.6)
    buy = cart & (random.rand(rows) < 0.5)
    labels = np.stack([click, random.rand(rows) < 0.5, cart, buy], 1).astype("float32")
    mask = np.stack([np.ones(rows), np.ones(rows), click, cart], 1).astype("float32")
    # Few different values: many scores are equal.
    logits = np.round(random.randn(rows, 4), 1).astype("float32")
    return labels, logits, mask


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_sorted_sums_are_those_of_all_pairs(margin, seed):
    random = np.random.RandomState(seed)
    scores = tf.constant(np.round(random.rand(60), 2 if seed else 6).astype("float32"))
    kind = random.randint(0, 3, 60)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        value = pairwise_squared_hinge(scores, kind == 0, kind == 1, margin)
    expected, slope = _mean_hinge(scores.numpy().astype("float64"), kind == 0, kind == 1, margin)
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-9)
    gradient = tf.convert_to_tensor(tape.gradient(value, scores))
    np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("conversion, position", [(None, 3), ("cart", 2)])
def test_is_the_papers_sum_at_the_click_tasks_place(conversion, position):
    labels, logits, mask = _batch(1)
    options = {"weight": 0.7, "m1": 0.2, "m2": 0.5, "conversion": conversion}
    losses = LOSSES.build("pwiser", options, TASKS)(labels, {"logits": logits}, mask)
    scores = 1 / (1 + np.exp(-logits[:, 0].astype("float64")))
    converted, click = labels[:, position] > 0, labels[:, 0] > 0
    expected = _mean_hinge(scores, converted, click & ~converted, 0.2)[0]
    expected += _mean_hinge(scores, converted, ~click, 0.5)[0]
    np.testing.assert_allclose(losses, [0.7 * expected, 0, 0, 0], rtol=1e-5)
    assert expected > 0


def test_labels_outside_of_the_population_do_not_matter():
    labels, logits, mask = _batch(1)
    loss = LOSSES.build("pwiser", {}, TASKS)
    changed = np.where(mask > 0, labels, 1 - labels)
    assert (changed != labels).any()
    outputs = {"logits": logits}
    np.testing.assert_array_equal(loss(labels, outputs, mask), loss(changed, outputs, mask))


@pytest.mark.parametrize("empty", ["converted", "only clicked", "not clicked", "all"])
def test_an_empty_set_adds_nothing(empty):
    labels, logits, mask = _batch(2)
    click, buy = labels[:, 0].copy(), labels[:, 3].copy()
    keep = {
        "converted": buy == 0,
        "only clicked": (click == 0) | (buy == 1),
        "not clicked": click == 1,
        "all": np.zeros(len(click), bool),
    }[empty]
    labels, mask = labels[keep], mask[keep]
    logits = tf.constant(logits[keep])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = LOSSES.build("pwiser", {"weight": 1.0}, TASKS)(labels, {"logits": logits}, mask)
    gradient = tf.convert_to_tensor(tape.gradient(losses, logits))
    assert np.isfinite(losses).all() and np.isfinite(gradient).all()
    if empty in ("converted", "all"):
        assert losses[0] == 0 and not np.any(gradient)
    else:
        scores = 1 / (1 + np.exp(-logits.numpy()[:, 0].astype("float64")))
        other = labels[:, 0] == 0 if empty == "only clicked" else labels[:, 3] == 0
        margin = 0.1 if empty == "only clicked" else 0.3
        expected = _mean_hinge(scores, labels[:, 3] > 0, other, margin)[0]
        np.testing.assert_allclose(losses[0], expected, rtol=1e-5)


def test_a_large_batch_needs_no_matrix_of_pairs():
    """10¹⁰ pairs, which would fill 40 GB; equal scores have a hinge of exactly m² each."""
    rows = 200_000
    above = np.arange(rows) % 2 == 0
    value = pairwise_squared_hinge(tf.fill((rows,), 0.4), above, ~above, 0.3)
    np.testing.assert_allclose(value, 0.09, rtol=1e-6)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"click": "clik"}, "did you mean 'click'"),
        ({"conversion": "like"}, "'like' does not come after 'click'"),
        ({"conversion": "click"}, "'click' does not come after 'click'"),
        ({"click": "like"}, "no task comes after task 'like'"),
        ({"m1": -0.1}, "greater than or equal to 0"),
    ],
)
def test_refuses_wrong_options(options, message):
    with pytest.raises(SettingsError, match=message):
        LOSSES.build("pwiser", options, TASKS)
