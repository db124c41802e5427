"""Holm's p-values: by their definition, and what they promise."""

import itertools

import numpy as np
import pytest
from scipy import stats

from mtlx.components.relaimp_gate.family.holm import adjusted_p_values


def _by_closure(p_values):
    """A hypothesis falls where every intersection with others falls by Bonferroni."""
    places = range(len(p_values))
    subsets = [s for k in range(1, len(p_values) + 1) for s in itertools.combinations(places, k)]
    return [
        max(min(1.0, len(s) * min(p_values[j] for j in s)) for s in subsets if place in s)
        for place in places
    ]


@pytest.mark.parametrize("seed", range(5))
def test_equals_closed_testing_of_every_intersection(seed):
    p_values = np.random.default_rng(seed).random(7) ** 3
    np.testing.assert_allclose(adjusted_p_values(p_values), _by_closure(p_values))


def test_by_hand_and_in_the_given_order():
    found = adjusted_p_values(np.array([0.03, 0.001, 0.02, 0.9]))
    np.testing.assert_allclose(found, [0.06, 0.004, 0.06, 0.9])
    np.testing.assert_allclose(adjusted_p_values(np.array([0.04])), [0.04])
    assert (adjusted_p_values(np.full(40, 0.2)) == 1.0).all()


@pytest.mark.parametrize("correlation", [0.0, 0.6, 1.0])
def test_a_true_hypothesis_falls_no_oftener_than_agreed_however_tests_hang_together(correlation):
    """Three of fifteen hypotheses are far from true; alone, twelve true ones fall in 26 %."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(4000, 1)), rng.normal(size=(4000, 15))
    scores = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    scores[:, :3] += 6.0
    p_values = stats.norm.sf(scores)
    adjusted = np.array([adjusted_p_values(row) for row in p_values])
    fallen = (adjusted[:, 3:] <= 0.05).any(axis=1).mean()
    assert fallen < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)
    assert (adjusted[:, :3] <= 0.05).all(axis=1).mean() > 0.95
    if correlation == 0.0:
        assert fallen > 0.03
        assert (p_values[:, 3:] <= 0.025).any(axis=1).mean() > 0.2
