"""Validation and its AUC against scikit-learn."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.trainer.validation.validation import Validation, validate
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr"))
ROWS = 500


@pytest.mark.parametrize("decimals", [8, 1])
def test_area_equals_scikit_learns_with_and_without_ties(decimals):
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 1000)
    scores = np.round(random.normal(size=1000) + 0.5 * labels, decimals)
    area = area_under_curve(labels, scores)
    assert area == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_area_of_simple_cases():
    assert area_under_curve(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.3])) == 1
    assert area_under_curve(np.array([0, 0, 1]), np.array([0.5, 0.5, 0.5])) == 0.5
    assert area_under_curve(np.array([1, 1]), np.array([0.1, 0.2])) is None
    assert area_under_curve(np.array([0, 0]), np.array([0.1, 0.2])) is None
    assert area_under_curve(np.array([]), np.array([])) is None


@pytest.fixture
def rows():
    random = np.random.default_rng(1)
    click = random.integers(0, 2, ROWS)
    gates = random.dirichlet([1.0, 2.0, 3.0], ROWS).astype("float32")
    return {
        "click": click,
        # Also outside of the population, where a label must not count.
        "buy": random.integers(0, 2, ROWS),
        "p": random.random((ROWS, 2)).astype("float32"),
        "gate": gates,
    }


def _predict(batch):
    return {
        "probabilities": batch["p"],
        "logits": batch["p"],
        "gates/cvr": batch["gate"],
        "contributions/cvr": 1 - batch["gate"],
    }


def test_each_task_is_measured_on_its_population(rows):
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(64)
    result = validate(_predict, batches, TASKS)
    clicked = rows["click"] == 1
    expected = {
        "ctr": (rows["click"], rows["p"][:, 0]),
        "cvr": (rows["buy"][clicked], rows["p"][clicked, 1]),
    }
    for task, (labels, scores) in expected.items():
        assert result.auc[task] == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
        assert result.loss[task] == pytest.approx(log_loss(labels, scores), abs=1e-5)
        assert (result.tasks[task].rows, result.tasks[task].positives) == (
            len(labels),
            labels.sum(),
        )
    assert result.domains == {}
    assert list(result.gate_weights) == ["cvr"]
    own = rows["gate"][clicked].mean(axis=0)
    assert np.abs(own - rows["gate"].mean(axis=0)).max() > 1e-4
    np.testing.assert_allclose(result.gate_weights["cvr"], own, rtol=1e-5)
    np.testing.assert_allclose(result.gate_contributions["cvr"], 1 - own, rtol=1e-5)


def test_a_task_without_both_classes_is_undefined(rows):
    rows["buy"] = np.zeros(ROWS, int)
    result = validate(_predict, tf.data.Dataset.from_tensor_slices(rows).batch(64), TASKS)
    assert result.auc["cvr"] is None and result.loss["cvr"] > 0


def test_domains_are_measured_on_their_own_rows_where_they_are_asked_for(rows):
    rows["domain_id"] = np.random.default_rng(2).integers(0, 2, ROWS)
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(64)
    result = validate(_predict, batches, TASKS, ("feed", "search"))
    for index, domain in enumerate(("feed", "search")):
        own = (rows["domain_id"] == index) & (rows["click"] == 1)
        found = result.domains[domain]["cvr"]
        labels, scores = rows["buy"][own], rows["p"][own, 1]
        assert (found.rows, found.positives) == (own.sum(), labels.sum())
        assert found.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
        assert found.loss == pytest.approx(log_loss(labels, scores), abs=1e-5)
    # As one worker tells the others.
    assert Validation.of_dict(json.loads(json.dumps(asdict(result)))) == result
    assert result.of_task("cvr").domains["feed"] == {"cvr": result.domains["feed"]["cvr"]}


def test_an_empty_population_has_no_loss(rows):
    rows["click"] = np.zeros(ROWS, int)
    result = validate(_predict, tf.data.Dataset.from_tensor_slices(rows).batch(64), TASKS)
    assert result.auc == {"ctr": None, "cvr": None} and result.loss["cvr"] is None
    assert result.gate_weights == result.gate_contributions == {}


def test_predictions_that_are_no_numbers_show_in_the_loss(rows):
    rows["p"][3] = np.nan
    result = validate(_predict, tf.data.Dataset.from_tensor_slices(rows).batch(64), TASKS)
    assert np.isnan(result.loss["ctr"])
    assert isinstance(result, Validation)
