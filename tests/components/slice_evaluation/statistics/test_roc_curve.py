"""The written curves against scikit-learn's, and the tasks that have none."""

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score, roc_curve

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.results import load_results
from mtlx.components.slice_evaluation.slices import SliceColumn
from mtlx.components.slice_evaluation.statistics.roc_curve import (
    MAXIMUM_POINTS,
    load_roc_curves,
    roc_curves,
)
from mtlx.components.slice_evaluation.statistics.score_histogram import ordered_keys, scores_of_keys
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


def totals_of(labels, scores, population=None, regressions=()):
    """Totals of one task in the overall slice, `scores` of shape (models, rows)."""
    scores = np.atleast_2d(scores).astype(np.float32)
    rows = len(labels)
    population = np.ones(rows, bool) if population is None else population
    totals = SliceTotals(len(scores), 1, 10, frozenset(regressions))
    for part in np.array_split(np.arange(rows), 3):
        batch = EvaluationBatch(
            [SliceColumn(np.zeros(len(part), np.int64), ((),))],
            np.asarray(labels)[None, part], population[None, part], scores[:, None, part], None,
        )  # fmt: skip
        totals.add(batch)
    return totals


def check_shape(curve):
    x, y = np.array(curve.false_positive_rate), np.array(curve.recall)
    thresholds = np.array(curve.thresholds)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()
    assert (np.diff(thresholds) < 0).all() and np.isfinite(thresholds).all()
    assert len(x) == len(y) == len(thresholds) <= MAXIMUM_POINTS


def test_written_curves_are_scikit_learns(full_uri, log):
    results, curves = load_results(full_uri), load_roc_curves(full_uri)
    assert list(curves) == ["ctr", "ctcvr", "cvr"]
    for task, curve in curves.items():
        check_shape(curve)
        area = auc(curve.false_positive_rate, curve.recall)
        assert area == pytest.approx(results.metric("candidate", task).auc, abs=1e-3)


@pytest.mark.parametrize("rows", [10, 150, 5000, 100_000])
@pytest.mark.parametrize("decimals", [1, 7])
def test_points_lie_on_the_curve_of_scikit_learn(rows, decimals):
    rng = np.random.default_rng(rows)
    scores = rng.beta(2, 8, size=rows).round(decimals).astype(np.float32)
    labels = rng.random(rows) < scores
    labels[:2] = True, False
    curve = roc_curves(totals_of(labels, scores), ("click",))["click"]
    check_shape(curve)
    expected = roc_curve(labels, scores, drop_intermediate=False)
    if rows <= 5000:  # the scores of more rows are coarsened
        columns = (curve.false_positive_rate[1:], curve.recall[1:], curve.thresholds[1:])
        for x, y, threshold in zip(*columns, strict=True):
            (place,) = np.flatnonzero(np.isclose(expected[2], threshold, rtol=1e-6, atol=0))
            assert (x, y) == pytest.approx((expected[0][place], expected[1][place]))
    area = auc(curve.false_positive_rate, curve.recall)
    assert area == pytest.approx(roc_auc_score(labels, scores), abs=1e-3)


def test_only_the_candidate_and_the_population_count():
    rng = np.random.default_rng(1)
    labels, population = rng.random(500) < 0.3, rng.random(500) < 0.5
    scores = rng.random((2, 500)).astype(np.float32)
    curve = roc_curves(totals_of(labels, scores, population), ("click",))["click"]
    area = auc(curve.false_positive_rate, curve.recall)
    assert area == pytest.approx(roc_auc_score(labels[population], scores[0][population]), abs=1e-3)


@pytest.mark.parametrize("labels", [np.zeros(9, bool), np.ones(9, bool)])
def test_one_class_has_no_curve(labels):
    assert roc_curves(totals_of(labels, np.linspace(0, 1, 9)), ("click",)) == {}


def test_numbers_of_which_some_are_zero_have_no_curve():
    watched = np.array([0.0, 0.0, 3.5, 12.0], np.float32)
    assert roc_curves(totals_of(watched, [1.0, 2.0, 3.0, 9.0], regressions=[0]), ("watch",)) == {}


def test_an_undefined_prediction_leaves_no_curve():
    scores = np.linspace(0, 1, 9)
    scores[4] = np.nan
    assert roc_curves(totals_of(np.arange(9) % 2 > 0, scores), ("click",)) == {}


def test_one_score_for_all_is_the_diagonal():
    curve = roc_curves(totals_of(np.arange(8) % 2 > 0, np.full(8, 1.0)), ("click",))["click"]
    check_shape(curve)
    assert curve.false_positive_rate == [0, 1] == curve.recall


def test_keys_and_scores_go_back_and_forth():
    scores = np.array([-np.inf, -3.5, -1e-30, 0.0, 1e-40, 0.25, 1.0, 7e20], np.float32)
    assert (scores_of_keys(ordered_keys(scores).astype(np.uint64)) == scores).all()


def test_an_evaluation_without_curves_has_none(tmp_path):
    assert load_roc_curves(str(tmp_path)) == {}
