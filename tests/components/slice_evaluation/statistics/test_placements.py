"""Placement values: counted by hand, and against every pair."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.statistics.placements import PlacementTable
from mtlx.components.slice_evaluation.statistics.score_histogram import ScoreHistogram
from tests.components.slice_evaluation.made_batches import direct_auc


def _table(groups, scores, labels, size=1):
    histogram = ScoreHistogram(size)
    histogram.add(np.asarray(groups), np.float32(scores), np.asarray(labels, bool))
    return PlacementTable(histogram)


def test_a_positive_outranks_a_share_of_the_negatives_and_a_tie_counts_half():
    scores, labels = [0.9, 0.5, 0.5, 0.1, 0.7], [1, 1, 0, 0, 0]
    table = _table([0] * 5, scores, labels)
    found = table.lookup(np.zeros(5, np.int64), np.float32(scores), np.array(labels, bool))
    # Negatives at 0.5, 0.1, 0.7; positives at 0.9, 0.5.
    assert found.tolist() == pytest.approx([1.0, 1.5 / 3, 0.75, 1.0, 0.5])
    assert table.auc.tolist() == pytest.approx([0.75])


def test_the_mean_over_either_class_is_the_auc_of_all_pairs():
    rng = np.random.default_rng(5)
    for size in (2, 3, 40, 500):
        labels = rng.random(size) < 0.3
        labels[:2] = [True, False]
        scores = np.round(rng.normal(size=size), 1).astype(np.float32)
        table = _table(np.zeros(size, np.int64), scores, labels)
        found = table.lookup(np.zeros(size, np.int64), scores, labels)
        expected = direct_auc(labels, scores)
        assert table.auc[0] == pytest.approx(expected, abs=1e-12)
        assert found[labels].mean() == pytest.approx(expected, abs=1e-12)
        assert found[~labels].mean() == pytest.approx(expected, abs=1e-12)


def test_groups_know_nothing_of_each_other():
    groups = np.array([0, 0, 1, 1, 3, 3])
    scores = np.float32([0.2, 0.1, 0.1, 0.2, 0.5, 0.5])
    labels = np.array([1, 0, 1, 0, 1, 1], bool)
    table = _table(groups, scores, labels, size=4)
    np.testing.assert_array_equal(table.auc, [1.0, 0.0, np.nan, np.nan])
    found = table.lookup(groups, scores, labels)
    np.testing.assert_array_equal(found, [1, 1, 0, 0, np.nan, np.nan])


def test_scores_of_either_sign_and_of_any_size_keep_their_order():
    scores = np.float32([-3e38, -1.0, -1e-40, 0.0, 1e-40, 1.0, 3e38])
    labels = np.array([0, 1, 0, 1, 0, 1, 0], bool)
    table = _table(np.zeros(7, np.int64), scores, labels)
    assert table.auc[0] == pytest.approx(direct_auc(labels, scores))


def test_minus_zero_is_a_tie_with_zero():
    assert _table([0, 0], [-0.0, 0.0], [1, 0]).auc.tolist() == [0.5]
