"""Weights of rows in every loss: a row that counts n times is as n rows."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.labels import counted_labels, labels_and_mask, row_weights
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.losses.loss import COUNTED_LABELS, ROW_WEIGHTS
from mtlx.trainer.losses.regression import RegressionLoss, build_losses
from mtlx.trainer.model.scores import LOG_DEVIATIONS
from mtlx.trainer.validation.measure import measure, measure_numbers
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import DOMAIN_ID, TaskSpec
from mtlx.transform.contract.rows.weight import ROW_WEIGHT, task_weight

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click", weight=task_weight("cart")),
    TaskSpec("buy", "buy", "cart", "cart"),
)
NUMBERS = (
    *TASKS[:1],
    TaskSpec("watch", "watch", weight=task_weight("cart"), kind="regression", shift=3.0, scale=2.0),
    TaskSpec("spent", "spent", population="click", kind="regression", loss="log_normal"),
)
ROWS = 90


def _rows():
    random = np.random.RandomState(1)
    click = random.rand(ROWS) < 0.6
    cart = click & (random.rand(ROWS) < 0.6)
    buy = cart & (random.rand(ROWS) < 0.6)
    batch = {
        "click": click.astype("int64"),
        "cart": cart.astype("int64"),
        "buy": buy.astype("int64"),
        "watch": (random.randn(ROWS) * 2 + 3).astype("float32"),
        "spent": np.exp(random.randn(ROWS)).astype("float32"),
        ROW_WEIGHT: random.randint(0, 4, ROWS).astype("float32"),
        task_weight("cart"): random.randint(0, 3, ROWS).astype("float32"),
        DOMAIN_ID: random.randint(0, 2, ROWS),
    }
    outputs = {
        "logits": random.randn(ROWS, 3).astype("float32"),
        "auxiliary_logits": random.randn(ROWS, 3).astype("float32"),
        "joint_probabilities": random.uniform(0.1, 0.9, (ROWS, 3)).astype("float32"),
        "losses/next_behaviour": random.rand(ROWS).astype("float32"),
        LOG_DEVIATIONS: np.tile(np.float32([0.1, 0.2, 0.3]), (ROWS, 1)),
        DOMAIN_ID: batch[DOMAIN_ID],
    }
    return batch, outputs


def _repeated(batch, outputs, task):
    """Each row as often as it counts in a task, and without weights."""
    times = batch[ROW_WEIGHT] * (batch[task.weight] if task.weight else 1)
    repeat = lambda values: np.repeat(values, times.astype(int), axis=0)  # noqa: E731
    plain = {name: repeat(values) for name, values in batch.items() if "weight" not in name}
    return plain, {name: repeat(values) for name, values in outputs.items()}


def _loss(loss, tasks, batch, outputs):
    batch = {name: tf.constant(values) for name, values in batch.items()}
    labels, mask = labels_and_mask(batch, tasks)
    outputs = {name: tf.constant(values) for name, values in outputs.items()}
    counted, of_rows = counted_labels(batch, tasks), row_weights(batch)
    outputs |= {} if counted is None else {COUNTED_LABELS: counted}
    outputs |= {} if of_rows is None else {ROW_WEIGHTS: of_rows}
    return np.asarray(loss(labels, outputs, mask))


def _plain(tasks):
    return tuple(dataclasses.replace(task, weight=None) for task in tasks)


#: Options under which a loss is looked at; pairs are of the click's own weights.
OPTIONS = {"pwiser": {"conversion": "buy"}, "focal": {"label_smoothing": 0.1}}


@pytest.mark.parametrize("name", LOSSES)
def test_a_row_that_counts_n_times_is_as_n_rows(name):
    batch, outputs = _rows()
    loss = LOSSES.build(name, OPTIONS.get(name, {}), TASKS)
    found = _loss(loss, TASKS, batch, outputs)
    unweighted = _loss(loss, _plain(TASKS), *_without(batch, outputs))
    assert not np.allclose(found, unweighted, rtol=1e-3), "the weights change nothing"
    for place, task in enumerate(TASKS):
        # A loss without labels knows what rows count for, and nothing of tasks.
        own = task if loss.reads_labels else dataclasses.replace(task, weight=None)
        expected = _loss(loss, _plain(TASKS), *_repeated(batch, outputs, own))
        np.testing.assert_allclose(found[place], expected[place], rtol=2e-5, atol=1e-7)


def _without(batch, outputs):
    return {name: values for name, values in batch.items() if "weight" not in name}, outputs


def test_numbers_are_weighed_too():
    batch, outputs = _rows()
    loss = RegressionLoss(NUMBERS)
    found = _loss(loss, NUMBERS, batch, outputs)
    assert found[0] == 0.0
    for place, task in enumerate(NUMBERS):
        expected = _loss(loss, _plain(NUMBERS), *_repeated(batch, outputs, task))
        np.testing.assert_allclose(found[place], expected[place], rtol=2e-5)
    # By hand: a mean of squares in deviations, and a likelihood of logarithms.
    weights = batch[ROW_WEIGHT] * batch[task_weight("cart")]
    squares = ((batch["watch"] - 3) / 2 - outputs["logits"][:, 1]) ** 2 / 2
    np.testing.assert_allclose(found[1], np.average(squares, weights=weights), rtol=1e-5)
    weights = batch[ROW_WEIGHT] * batch["click"]
    likelihood = (np.log(batch["spent"]) - outputs["logits"][:, 2]) ** 2 / 2 * np.exp(-0.6) + 0.3
    np.testing.assert_allclose(found[2], np.average(likelihood, weights=weights), rtol=1e-5)


def test_the_epoch_is_chosen_by_weighted_measures():
    random = np.random.RandomState(2)
    labels = (random.rand(200) < 0.3).astype("float32")
    scores = np.round(random.rand(200), 1).astype("float32")
    weights = random.randint(1, 4, 200).astype("float32")
    repeat = lambda values: np.repeat(values, weights.astype(int))  # noqa: E731
    found, expected = (
        measure(labels, scores, weights=weights),
        measure(*map(repeat, (labels, scores))),
    )
    assert found.rows == 200
    for name in ("auc", "loss", "base_entropy"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-6)
    found = measure_numbers(labels * 7, scores, 2.0, weights)
    expected = measure_numbers(repeat(labels * 7), repeat(scores), 2.0)
    assert (found.loss, found.base_loss) == pytest.approx((expected.loss, expected.base_loss))


@pytest.mark.parametrize("name", ["uncertainty_weighting", "entire_space_cross_entropy"])
def test_losses_of_two_classes_alone_refuse_numbers(name):
    with pytest.raises(SettingsError, match=f"'{name}' knows labels 0 and 1 alone.*'watch'"):
        build_losses([(name, {})], NUMBERS)


def test_unknown_numbers_count_for_nothing():
    batch, _ = _rows()
    tasks = tuple(dataclasses.replace(task, matures_after=1) for task in NUMBERS)
    batch["watch"][:5] = np.nan
    labels, mask = labels_and_mask({k: tf.constant(v) for k, v in batch.items()}, tasks)
    assert np.isfinite(labels).all()
    np.testing.assert_array_equal(mask[:5, 1], 0.0)
