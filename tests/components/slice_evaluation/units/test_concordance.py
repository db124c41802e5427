"""Pairs in order, counted by merging, against all pairs."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.units.concordance import comparable, concordance


def _by_pairs(groups, labels, scores, weights):
    same = groups[:, None] == groups
    up = labels[:, None] - labels
    gaps = scores[:, None] - scores
    right = (up * gaps > 0) + 0.5 * ((gaps == 0) & (up != 0))
    return (same * right * weights).sum(axis=1), (same * (up != 0) * weights).sum(axis=1)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 17, 256, 311])
def test_every_pair_of_a_group_is_counted_whatever_ties_there_are(rows):
    rng = np.random.default_rng(rows)
    groups = rng.integers(0, 4, rows)
    labels = rng.integers(0, 6, rows).astype(float)
    scores, weights = np.round(rng.random(rows), 1), 0.1 + rng.random(rows)
    right, pairs = _by_pairs(groups, labels, scores, weights)
    np.testing.assert_allclose(concordance(groups, labels, scores, weights), right, atol=1e-12)
    np.testing.assert_allclose(comparable(groups, labels, weights), pairs, atol=1e-12)


def test_one_score_for_all_is_half_of_the_pairs():
    labels, nothing = np.arange(50.0), np.zeros(50)
    found = concordance(nothing.astype(int), labels, nothing, np.ones(50))
    np.testing.assert_allclose(found, 49 / 2)
