"""Rows count in importance for what they weigh, as in the evaluation."""

import types

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from mtlx.components.model_insight.evaluated_rows import EvaluatedRows, row_weights
from mtlx.components.model_insight.insights.importance import Importance
from mtlx.components.model_insight.insights.insight import SEED
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.rows.weight import ROW_WEIGHT, task_weight

ROWS = 400


def _contract(**changes):
    return DataContract.read(
        {
            "features": {"a": {"kind": "numeric"}},
            "tasks": {"click": {"label": "click"}, "buy": {"label": "buy", "weight": "worth"}},
            **changes,
        }
    )


def _example(**numbers):
    feature = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        for name, value in numbers.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def test_a_row_weighs_the_product_of_its_own_weight_and_the_tasks():
    given = [_example(**{ROW_WEIGHT: 2.0, task_weight("buy"): worth}) for worth in (3.0, 0.0)]
    examples = np.array(given, object)
    found = row_weights(examples, _contract(weight={"column": "importance"}))
    np.testing.assert_array_equal(found, [[2.0, 6.0], [2.0, 0.0]])
    np.testing.assert_array_equal(row_weights(examples, _contract()), [[1.0, 3.0], [1.0, 0.0]])
    unweighed = _contract(tasks={"click": {"label": "click"}})
    assert row_weights(examples, unweighed) is None


def test_importance_is_what_the_weighted_auc_loses():
    random = np.random.default_rng(6)
    a, b = random.normal(size=(2, ROWS))
    labels = (random.random(ROWS) < 1 / (1 + np.exp(-a - b))).astype(np.float32)
    # Where b is large, a says the wrong, and rows count tenfold.
    weights = np.where(b > 0.5, 10.0, 1.0).astype(np.float32)
    score = np.where(b > 0.5, -a, a)
    rows = EvaluatedRows(
        np.zeros(ROWS), {"a": a, "b": b}, labels[:, np.newaxis], np.ones((ROWS, 1), bool),
        np.zeros(ROWS, np.int64), ROWS, weights[:, np.newaxis],
    )  # fmt: skip

    def probabilities(features):
        wrong = features["b"] > 0.5
        return np.where(wrong, -features["a"], features["a"])[:, np.newaxis]

    model = types.SimpleNamespace(
        tasks=["click"], domains=("all",), columns={"a": ["a"], "b": ["b"]},
        regressions=frozenset(), probabilities=probabilities,
    )  # fmt: skip
    found = Importance(rows=ROWS, repeats=2).find(model, rows, lambda _: None)
    overall = found.values["tasks"]["click"]["overall"]
    base = roc_auc_score(labels, score, sample_weight=weights)
    assert overall["auc"] == pytest.approx(base) and base < roc_auc_score(labels, score) - 0.1
    shuffling, drops = np.random.default_rng(SEED), []
    for _ in range(2):
        shuffled = a[shuffling.permutation(ROWS)]
        after = np.where(b > 0.5, -shuffled, shuffled)
        drops.append(base - roc_auc_score(labels, after, sample_weight=weights))
    assert overall["importance"]["a"] == pytest.approx(np.mean(drops))
