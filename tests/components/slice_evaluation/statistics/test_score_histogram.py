"""Scores as ordered keys, and tables of them that may get coarse but never wrong."""

import pickle

import numpy as np
import pytest

from mtlx.components.slice_evaluation.statistics.score_histogram import (
    ScoreHistogram,
    ordered_keys,
    scores_of_keys,
)

SCORES = np.float32([-np.finfo(np.float32).max, -1, -1e-45, 0, 1e-45, 0.1, 0.5, 1, 3e38])


def test_keys_are_in_the_order_of_their_scores_and_lead_back():
    keys = ordered_keys(SCORES)
    assert keys.dtype == np.uint32 and (np.diff(keys.astype(np.int64)) > 0).all()
    np.testing.assert_array_equal(scores_of_keys(keys.astype(np.uint64)), SCORES)
    # The upper half is the group's and does not matter.
    np.testing.assert_array_equal(
        scores_of_keys(keys.astype(np.uint64) | np.uint64(5 << 32)), SCORES
    )


def _filled(groups, scores, labels, size=2, **limits):
    histogram = ScoreHistogram(size, **limits)
    histogram.add(np.asarray(groups), np.float32(scores), np.asarray(labels, bool))
    histogram.compact()
    return histogram


def _entries(histogram):
    scores = scores_of_keys(histogram.keys)
    columns = (histogram.groups(), scores, histogram.positives, histogram.negatives)
    return [tuple(entry) for entry in zip(*(c.tolist() for c in columns), strict=True)]


def test_rows_are_counted_by_group_score_and_class():
    found = _filled([1, 0, 1, 1, 0], [0.5, 0.25, 0.5, 0.5, 0.25], [1, 0, 0, 1, 0])
    assert _entries(found) == [(0, 0.25, 0, 2), (1, 0.5, 2, 1)]


def test_nothing_added_is_an_empty_table():
    histogram = _filled([], [], [])
    assert _entries(histogram) == []
    histogram.merge(ScoreHistogram(3), np.array([0, 1, 0]))
    histogram.compact()
    assert _entries(histogram) == []


def test_two_groups_of_another_table_may_become_one():
    one = _filled([0], [0.5], [1])
    other = _filled([0, 1, 1], [0.5, 0.5, 0.75], [0, 1, 1])
    one.merge(other, np.array([0, 0]))
    one.compact()
    assert _entries(one) == [(0, 0.5, 2, 1), (0, 0.75, 1, 0)]
    assert _entries(other) == [(0, 0.5, 0, 1), (1, 0.5, 1, 0), (1, 0.75, 1, 0)]


def test_a_large_group_is_coarsened_alone_and_loses_no_row():
    rng = np.random.default_rng(0)
    scores = rng.random(3000).astype(np.float32)
    groups = np.where(np.arange(3000) < 2990, 0, 1)
    found = _filled(groups, scores, scores > 0.5, maximum_distinct=100)
    assert (np.bincount(found.groups()) <= 100).all()
    assert found.positives.sum() + found.negatives.sum() == 3000
    assert found.positives.sum() == (scores > 0.5).sum()
    assert found.dropped_bits[0] > 0 == found.dropped_bits[1]
    # Near scores became ties; the order of those that are left is right.
    kept = scores_of_keys(found.keys[found.groups() == 0])
    assert (np.diff(kept) > 0).all()


def test_small_probabilities_keep_their_relative_precision():
    scores = np.float32(10.0 ** -np.arange(1, 30, 0.01))
    found = _filled(np.zeros(len(scores), int), scores, scores > 0, size=1, maximum_distinct=300)
    kept = np.sort(scores_of_keys(found.keys).astype(np.float64))
    places = np.searchsorted(kept, scores.astype(np.float64), side="right") - 1
    assert (scores / kept[places] < 2).all()


def test_a_table_that_travels_is_complete():
    histogram = ScoreHistogram(1)
    histogram.add(np.array([0, 0]), np.float32([0.5, 0.5]), np.array([True, False]))
    assert _entries(pickle.loads(pickle.dumps(histogram))) == [(0, 0.5, 1, 1)]


@pytest.mark.parametrize("groups", [3, 5])
def test_room_for_more_groups_keeps_what_was_there(groups):
    histogram = _filled([1], [0.5], [1])
    histogram.resize(groups)
    histogram.add(np.array([groups - 1]), np.float32([0.25]), np.array([False]))
    histogram.compact()
    assert _entries(histogram) == [(1, 0.5, 1, 0), (groups - 1, 0.25, 0, 1)]
