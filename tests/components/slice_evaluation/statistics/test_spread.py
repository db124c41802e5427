"""From sums to variances and degrees of freedom, by hand."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.spread import Spread


def _moments(influence, shares, groups=None, size=1):
    count = np.shape(influence)[1]
    groups = np.zeros(count, np.int64) if groups is None else np.array(groups)
    return PairedMoments.of_clusters(groups, np.array(influence), np.array(shares), size)


def _equal(count, models=1):
    """`count` clusters with both classes, all of one size, that contribute +1 and -1 in turn."""
    signs = np.where(np.arange(count) % 2, 1.0, -1.0)
    return _moments([signs] * models, np.full((2, count), 1 / count))


def test_variances_are_sums_of_squares_and_of_products():
    moments = _moments([[1.0, -2.0], [0.5, 1.0]], np.full((2, 2), 0.5))
    spread = Spread.of_moments(moments)[0,]
    assert spread.variance(0) == 5.0 and spread.variance(1) == 1.25
    # (1 - 0.5)² + (-2 - 1)²
    assert spread.variance_of_difference(1) == pytest.approx(9.25)
    assert spread.share_of_difference(1) == pytest.approx((0.5**4 + 3**4) / 9.25**2)


def test_equal_clusters_count_as_many_as_there_are():
    spread = Spread.of_moments(_equal(8))[0,]
    assert spread.effective == 8 and spread.pairs == 4
    assert spread.obstacle() is None and spread.degrees_of_difference == 7


def test_one_heavy_cluster_counts_as_few():
    shares = np.full((2, 11), 0.05)
    shares[:, 0] = 0.5
    spread = Spread.of_moments(_moments(np.ones((1, 11)), shares), "user_id")[0,]
    assert spread.effective == pytest.approx(1 / (0.25 + 10 * 0.0025), abs=1e-5)
    assert spread.obstacle() == (
        "too few values of user_id (the rows of 11 weigh as 3.6 of one size, 6 are needed)"
    )


def test_the_smaller_class_decides():
    shares = np.zeros((2, 12))
    shares[0, :10], shares[1, 10:] = 0.1, 0.5
    spread = Spread.of_moments(_moments(np.ones((1, 12)), shares))[0,]
    assert spread.effective == 2
    assert spread.obstacle() == "too few rows of one class (2, 6 are needed)"


def test_a_class_of_one_cluster_has_no_variance():
    shares = np.zeros((2, 9))
    shares[0, 0], shares[1, 1:] = 1.0, 1 / 8
    spread = Spread.of_moments(_moments(np.ones((1, 9)), shares))[0,]
    assert np.isnan(spread.variance(0)) and spread.effective == spread.pairs == 0


def test_each_group_is_summed_by_itself():
    moments = _moments([[1.0, 2.0, 3.0]], np.full((2, 3), 0.5), groups=[0, 2, 0], size=3)
    assert moments.products[:, 0, 0].tolist() == [10, 0, 4]
    assert moments.clusters.tolist() == moments.positive_clusters.tolist() == [2, 0, 1]
    reshaped = moments.reshape(3, 1)
    assert reshaped.products.shape == (3, 1, 1, 1) and reshaped.clusters.shape == (3, 1)


def test_sums_of_disjoint_clusters_add_up():
    influence, shares = np.array([[1.0, -2.0, 3.0, 0.5]]), np.full((2, 4), 0.25)
    total = PairedMoments.zeros((1,), 1)
    for rows in ([0, 3], [1], [2]):
        total.add(_moments(influence[:, rows], shares[:, rows]))
    whole = _moments(influence, shares)
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(total, name), value, err_msg=name)


def test_influences_of_rows_give_the_unbiased_variance_of_a_mean():
    """With one class only, the AUC is a mean of placements: its variance is s² / n."""
    values = np.random.default_rng(4).normal(size=20)
    sums = np.stack([values - values.mean(), np.zeros(20)])[None]
    shares = np.stack([np.full(20, 1 / 20), np.zeros(20)])
    found = influences(sums, shares, np.full((2, 20), 20.0))
    assert np.square(found).sum() == pytest.approx(values.var(ddof=1) / 20)


def test_a_cluster_that_alone_holds_a_class_contributes_nothing_for_it():
    found = influences(np.array([[[0.5], [0.25]]]), np.array([[1.0], [0.5]]), np.full((2, 1), 4.0))
    assert found[0, 0] == pytest.approx(0.25 / (4 * np.sqrt(0.5)))


def test_equal_models_have_no_difference():
    spread = Spread.of_moments(_equal(10, models=2))[0,]
    assert spread.variance_of_difference(1) == 0.0
    assert spread.share_of_difference(1) == pytest.approx(1 / 10)
