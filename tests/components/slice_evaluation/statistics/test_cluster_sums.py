"""Sums per user: the same in any order, parts and processes."""

import pickle

import numpy as np
import pytest

from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums

USERS = np.array([7, 7, 2**63 + 1, 7, 40, 2**63 + 1], np.uint64)
GROUPS = np.array([0, 0, 0, 1, 1, 1])
LABELS = np.array([1, 0, 1, 1, 0, 0], bool)
PLACEMENTS = np.array([[0.5, -0.25, 0.1, 0.2, 0.3, -0.4], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
#: Of group 0: sums of positives' and of negatives' placements by model, positives, negatives.
EXPECTED = {7: [0.5, 1.0, -0.25, 2.0, 1, 1], 2**63 + 1: [0.1, 3.0, 0, 0, 1, 0]}


def _sums(order=slice(None)):
    sums = ClusterSums(2)
    sums.add(USERS[order], GROUPS[order], PLACEMENTS[:, order], LABELS[order])
    return sums


def test_placements_are_summed_by_user_group_and_class():
    found = _sums().columns_of(0)
    np.testing.assert_allclose(found, list(EXPECTED.values()))
    assert len(_sums().columns_of(1)) == 3
    assert _sums().columns_of(2).shape == (0, 6)


def test_order_and_parts_make_no_difference():
    whole = _sums()
    joined = ClusterSums(2)
    for row in (5, 3, 1, 0, 2, 4):
        joined.merge(pickle.loads(pickle.dumps(_sums([row]))))
    for group in (0, 1):
        np.testing.assert_allclose(joined.columns_of(group), whole.columns_of(group))


def test_all_sums_of_a_user_are_in_one_part_and_nothing_is_lost():
    rng = np.random.default_rng(0)
    users = rng.integers(0, 2**64, 50, dtype=np.uint64)[rng.integers(0, 50, 400)]
    sums = ClusterSums(1)
    sums.add(users, rng.integers(0, 3, 400), rng.normal(size=(1, 400)), rng.random(400) < 0.5)
    parts = sums.split(8)
    assert len({number for number, _ in parts}) == len(parts) <= 8
    for number, part in parts:
        assert set(part._users % np.uint64(8)) == {number}
    for group in range(3):
        columns = np.concatenate([part.columns_of(group) for _, part in parts])
        assert len(columns) == len(sums.columns_of(group))
        np.testing.assert_allclose(columns.sum(axis=0), sums.columns_of(group).sum(axis=0))


def test_nothing_added_is_nothing():
    sums = ClusterSums(2)
    sums.merge(ClusterSums(2))
    assert sums.split(4) == []
    moments = sums.moments(np.array([3]), np.array([2]))
    assert moments.clusters.tolist() == [0] and not moments.products.any()


def test_a_batch_may_have_no_row_of_a_task():
    """As with few rows of a population: no row is labelled, and there are metrics beside the AUC."""
    sums = ClusterSums(2, metrics=3)
    none = np.zeros(0)
    sums.add(none.astype(np.uint64), none.astype(int), np.zeros((2, 0)), none > 0, none,
             np.zeros((3, 2, 0)))  # fmt: skip
    assert sums.split(4) == []


def test_moments_are_the_squares_of_what_users_contribute():
    """Two users of one group; each class is divided by sqrt(1 - the user's share of it)."""
    users, groups = np.array([1, 1, 2, 2], np.uint64), np.zeros(4, np.int64)
    labels = np.array([1, 0, 1, 0], bool)
    placements = np.array([[0.2, -0.1, -0.2, 0.1]])
    sums = ClusterSums(1)
    sums.add(users, groups, placements, labels)
    moments = sums.moments(np.array([2]), np.array([2]))
    contributions = [(p + n) / (2 * np.sqrt(1 / 2)) for p, n in ((0.2, -0.1), (-0.2, 0.1))]
    assert moments.products[0, 0, 0] == pytest.approx(np.square(contributions).sum())
    assert moments.fourth[0, 0] == pytest.approx((np.array(contributions) ** 4).sum())
    assert moments.shares[0].tolist() == [0.5, 0.5, 0.5]
    assert moments.positive_clusters.tolist() == moments.negative_clusters.tolist() == [2]
