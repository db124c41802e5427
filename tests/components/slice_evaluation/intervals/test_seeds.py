"""Intervals over users and seeds hold where those of one training do not."""

import functools

import numpy as np
import pytest
from scipy import stats

from mtlx.components.slice_evaluation.intervals.seeds import SeedMeans
from mtlx.components.slice_evaluation.statistics.paired_auc import auc_difference
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.spread import Spread

TRIALS, USERS, ROWS = 400, 120, 600


def _aucs_and_spread(labels, scores, users):
    """Of models ``(M, N)``, rows clustered by user, directly from ranks."""
    counts = np.array([[labels.sum()], [(~labels).sum()]])
    ranks = stats.rankdata(scores, axis=1)
    placements = np.empty_like(ranks)
    for number, own in enumerate((labels, ~labels)):
        within = stats.rankdata(scores[:, own], axis=1)
        outranked = (ranks[:, own] - within) / counts[1 - number]
        placements[:, own] = 1 - outranked if number else outranked
    aucs = placements[:, labels].mean(axis=1)
    centred = placements - aucs[:, None]
    sums = np.array([
        [np.bincount(users[own], model[own], minlength=USERS) for own in (labels, ~labels)]
        for model in centred
    ])  # fmt: skip
    shares = np.stack([np.bincount(users[own], minlength=USERS) for own in (labels, ~labels)])
    shares = shares / counts
    influence = influences(sums, shares, counts)
    moments = PairedMoments.of_clusters(np.zeros(USERS, int), influence, shares, 1)
    return aucs, Spread.of_moments(moments, "user")[0,]


def _trial(rng, gains, between, seeds):
    """A drawn test split, scored by models of so many seeds of two ways of training."""
    users = rng.integers(0, USERS, ROWS)
    effect = rng.normal(size=USERS)[users]
    labels = rng.random(ROWS) < 1 / (1 + np.exp(0.6 - 0.7 * effect))
    common = 0.5 * effect + 0.7 * rng.normal(size=ROWS)
    gain = np.concatenate([
        mean + between * rng.normal(size=number)
        for mean, number in zip(gains, seeds, strict=True)
    ])[:, None]  # fmt: skip
    models = len(gain)
    own = 0.3 * rng.normal(size=(models, USERS))[:, users] + 0.3 * rng.normal(size=(models, ROWS))
    return _aucs_and_spread(labels, gain * labels + common + own, users)


def _intervals(gains=(1.2, 1.2), between=0.15, seeds=(3, 3), trials=TRIALS):
    """Per trial the difference over seeds, RelaImp over seeds, and that of a pair of trainings."""
    return _drawn(gains, between, seeds, trials)


@functools.cache
def _drawn(gains, between, seeds, trials):
    rng = np.random.default_rng(5)
    found = []
    for _ in range(trials):
        aucs, spread = _trial(rng, gains, between, seeds)
        means = SeedMeans.of_models(
            aucs, spread.covariance, seeds[0], float(spread.degrees_of_difference)
        )
        pair = auc_difference(aucs[[0, seeds[0]]], spread, seeds[0], 0.95)
        found.append((means, means.difference(0.95), means.relaimp(0.95), pair))
    return found


def _covers(estimates, truth=0.0):
    return np.mean([found.lower <= truth <= found.upper for found in estimates])


ERROR = 3 * np.sqrt(0.95 * 0.05 / TRIALS)


@pytest.mark.parametrize("between", [0.0, 0.15])
def test_equal_ways_of_training_differ_by_chance_as_often_as_is_said(between):
    _, differences, ratios, pairs = zip(*_intervals(between=between), strict=True)
    assert 0.95 - ERROR < _covers(differences) and 0.95 - ERROR < _covers(ratios)
    if between:
        # One training of each: the interval knows the rows and not the seeds.
        assert _covers(pairs) < 0.85
    else:
        assert _covers(pairs) > 0.95 - ERROR


def test_a_given_model_is_compared_with_several_seeds():
    """What serves is one model: its AUC is off by the rows, and no more by its seed."""
    _, differences, _, _ = zip(*_intervals(between=0.0, seeds=(3, 1)), strict=True)
    assert _covers(differences) > 0.95 - ERROR


def test_the_variance_is_that_among_the_trials():
    means, differences, _, _ = zip(*_intervals(gains=(1.5, 0.9)), strict=True)
    values = np.array([found.value for found in differences])
    estimated = np.mean([mean.variance_of_difference for mean in means])
    assert estimated == pytest.approx(values.var(), rel=0.25)
    assert 0.95 - ERROR < _covers(differences, values.mean()) < 0.99
    # Without the part of the seeds it would be far too small.
    of_seeds = np.mean([mean.of_seeds.sum() for mean in means])
    assert of_seeds > 0.4 * estimated


def test_more_seeds_tell_more():
    few, many = (
        np.median([d.upper - d.lower for _, d, _, _ in _intervals(seeds=(seeds, seeds), trials=80)])
        for seeds in (3, 8)
    )
    assert many < 0.6 * few


def test_of_seeds_alone_it_is_welchs_t_test():
    """Without any spread of the rows."""
    aucs = np.array([0.71, 0.74, 0.72, 0.70, 0.69, 0.66, 0.71])
    means = SeedMeans.of_models(aucs, np.zeros((7, 7)), 3, 100.0)
    test = stats.ttest_ind(aucs[:3], aucs[3:], equal_var=False)
    variance = aucs[:3].var(ddof=1) / 3 + aucs[3:].var(ddof=1) / 4
    difference = means.difference(0.95)
    assert difference.value / np.sqrt(variance) == pytest.approx(test.statistic)
    interval = test.confidence_interval(0.95)
    assert difference[1:3] == pytest.approx((interval.low, interval.high))
    one_sided = test.pvalue / 2
    assert difference.curve.p_value(0.0, "lower") == pytest.approx(one_sided, rel=0.15)


def test_of_rows_alone_it_is_their_covariance():
    covariance = np.full((4, 4), 3e-4) + np.diag(np.full(4, 1e-12))
    covariance[:2, 2:] = covariance[2:, :2] = 2e-4
    means = SeedMeans.of_models(np.array([0.75, 0.75, 0.7, 0.7]), covariance, 2, 50.0)
    assert means.variance_of_difference == pytest.approx(2e-4)
    assert means.degrees == pytest.approx(50.0)
    half = stats.t.ppf(0.975, 50) * np.sqrt(2e-4)
    assert means.difference(0.95)[1:3] == pytest.approx((0.05 - half, 0.05 + half))


def test_one_seed_does_not_tell():
    with pytest.raises(ValueError, match="at least two seeds"):
        SeedMeans.of_models(np.array([0.7, 0.6]), np.eye(2), 1, 50.0)
    with pytest.raises(ValueError, match="2 candidates and 0 others"):
        SeedMeans.of_models(np.array([0.7, 0.6]), np.eye(2), 2, 50.0)


def test_a_ratio_to_nothing_is_undefined():
    means = SeedMeans.of_models(np.array([0.7, 0.71, 0.5, 0.51]), np.eye(4) * 1e-4, 2, 50.0)
    found = means.relaimp(0.95)
    assert found.value is None and "not clearly above 0.5" in found.reason
