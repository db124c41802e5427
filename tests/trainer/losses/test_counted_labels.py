"""Labels that are not known yet: no loss knows of their rows."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.labels import counted_labels, labels_and_mask
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.losses.loss import COUNTED_LABELS
from mtlx.transform.contract.model_inputs import DOMAIN_ID, TaskSpec

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click", matures_after=1),
    TaskSpec("buy", "buy", "cart", "cart", matures_after=2),
)
#: Losses that read labels, with their options.
LOSSES_OF_LABELS = {
    "binary_cross_entropy": {"label_smoothing": 0.1, "smooth_towards": "base_rate"},
    "focal": {},
    "domain_cross_entropy": {},
    "small_heads": {},
    "entire_space_cross_entropy": {"label_smoothing": 0.1, "smooth_towards": "base_rate"},
    "pwiser": {},
    "uncertainty_weighting": {},
}
ROWS = 60


def _batch(unknown):
    """Rows of two spans: of the last third of the rows some tasks' labels are not known."""
    random = np.random.RandomState(1)
    click = random.rand(ROWS) < 0.6
    cart = click & (random.rand(ROWS) < 0.6)
    buy = cart & (random.rand(ROWS) < 0.6)
    labels = {"click": click, "cart": cart, "buy": buy}
    batch = {name: value.astype(np.int64) for name, value in labels.items()}
    for name in unknown:
        batch[name][-20:] = -1
    batch[DOMAIN_ID] = random.randint(0, 2, ROWS)
    outputs = {
        "logits": random.randn(ROWS, 3).astype("float32"),
        "auxiliary_logits": random.randn(ROWS, 3).astype("float32"),
        "joint_probabilities": random.uniform(0.1, 0.9, (ROWS, 3)).astype("float32"),
        DOMAIN_ID: batch[DOMAIN_ID],
    }
    return batch, outputs


def _loss(name, batch, outputs, rows):
    batch = {key: tf.constant(value[:rows]) for key, value in batch.items()}
    labels, mask = labels_and_mask(batch, TASKS)
    outputs = {key: tf.constant(value[:rows]) for key, value in outputs.items()}
    outputs[COUNTED_LABELS] = counted_labels(batch, TASKS)
    loss = LOSSES.build(name, LOSSES_OF_LABELS[name], TASKS)
    return np.asarray(loss(labels, outputs, mask))


def test_all_losses_are_looked_at():
    silent = {"behavioural_expectation_calibrator", "next_behaviour"}
    assert {*LOSSES_OF_LABELS} | silent == set(LOSSES)
    plain = tuple(dataclasses.replace(task, matures_after=0) for task in TASKS)
    for name in set(LOSSES) - silent:
        assert LOSSES.build(name, LOSSES_OF_LABELS[name], plain).reads_labels
    for name in silent:
        assert not LOSSES.build(name, {}, plain).reads_labels


@pytest.mark.parametrize("name", LOSSES_OF_LABELS)
def test_rows_without_a_known_label_are_as_if_they_were_not_there(name):
    """For cart and buy; the clicks of the same rows are learnt."""
    batch, outputs = _batch(["cart", "buy"])
    whole, first = (_loss(name, batch, outputs, rows) for rows in (ROWS, 40))
    late = [0] if name == "pwiser" else [1, 2]  # PWiSeR teaches the clicks what is bought.
    np.testing.assert_allclose(whole[late], first[late], rtol=1e-5)
    if name != "pwiser":
        assert abs(whole[0] - first[0]) > 1e-4
    # Taken for zeros they would count.
    zeros = {key: np.maximum(value, 0) for key, value in batch.items()}
    taken = _loss(name, zeros, outputs, ROWS)
    assert (np.abs(taken[late] - first[late]) > 1e-4).any()


@pytest.mark.parametrize("name", LOSSES_OF_LABELS)
def test_a_batch_without_a_known_label_teaches_nothing(name):
    batch, outputs = _batch([])
    batch |= {name: np.full(ROWS, -1) for name in ("cart", "buy")}
    found = _loss(name, batch, outputs, ROWS)
    np.testing.assert_array_equal(found[1:], 0.0)
    assert np.isfinite(found).all()
