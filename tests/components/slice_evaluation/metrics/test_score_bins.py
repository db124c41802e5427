"""Bins of equal weight, also where the histogram has become coarse."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.metrics.score_bins import BINS, ScoreBins
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from tests.components.slice_evaluation.made_batches import batch


def _totals(labels, scores, weights=None):
    totals = SliceTotals(1, 1, 10)
    totals.add(batch([labels], np.asarray(scores)[None, None], weights and [weights]))
    return totals


def test_bins_weigh_the_same_and_hold_every_row():
    rng = np.random.default_rng(0)
    scores = rng.random(3000).astype(np.float32)
    labels = rng.random(3000) < scores
    curve = ScoreBins(_totals(labels, scores)).reliability(0)
    assert curve.weight == [200.0] * BINS
    order = np.argsort(scores, kind="stable").reshape(BINS, 200)
    np.testing.assert_allclose(curve.prediction, scores[order].mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(curve.rate, labels[order].mean(axis=1))


def test_equal_scores_share_a_bin():
    curve = ScoreBins(_totals([1, 0, 0, 1], [0.25, 0.25, 0.75, 0.75])).reliability(0)
    assert (curve.prediction, curve.rate, curve.weight) == ([0.25, 0.75], [0.5, 0.5], [2.0, 2.0])


def test_a_calibrated_model_is_off_by_about_what_chance_says():
    rng = np.random.default_rng(1)
    found, chance = [], []
    for _ in range(60):
        scores = rng.random(900).astype(np.float32)
        bins = ScoreBins(_totals(rng.random(900) < scores, scores))
        found.append(bins.error[0, 0, 0] / 900)
        chance.append(bins.chance[0, 0, 0])
    assert np.mean(found) == pytest.approx(np.mean(chance), rel=0.06)


def test_a_coarse_histogram_moves_the_error_by_little():
    rng = np.random.default_rng(2)
    scores = (0.02 + 0.1 * rng.random(20_000)).astype(np.float32)
    totals = _totals(rng.random(20_000) < 0.5 * scores, scores)
    exact = ScoreBins(totals).error[0, 0, 0]
    totals.histogram.maximum_distinct = 400
    coarse = ScoreBins(totals)
    assert totals.histogram.dropped_bits[0] > 0
    assert coarse.error[0, 0, 0] == pytest.approx(exact, rel=1e-3)
