"""Paired AUC statistics against direct computation, bootstrap, scikit-learn and the papers."""

import itertools
import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.slices import SliceColumn
from mtlx.components.slice_evaluation.statistics import score_histogram
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    exact_bounds,
    quantile_of_difference,
    relaimp,
    relative_improvement,
    with_curve,
)
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.placements import PlacementTable
from mtlx.components.slice_evaluation.statistics.score_histogram import ScoreHistogram, ordered_keys
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.statistics.spread import MINIMUM_EFFECTIVE_CLUSTERS, Spread


def simulate(rng, rows, gains=(1.2, 1.0), share=0.3, users=None, ties=False):
    """Labels and the float32 scores (M, N) of correlated models."""
    labels = rng.random(rows) < share
    common = rng.normal(size=rows)
    user_ids = None
    if users:
        user_ids = rng.integers(0, users, rows).astype(np.uint64)
        common = common + 1.5 * rng.normal(size=users)[user_ids.astype(int)]
        labels = rng.random(rows) < 1 / (1 + np.exp(-rng.normal(size=users) * 1.5))[
            user_ids.astype(int)
        ] * share * 2  # fmt: skip
    scores = [
        1 / (1 + np.exp(-(gain * labels + common + 0.7 * rng.normal(size=rows)))) for gain in gains
    ]
    scores = np.array(scores, np.float32)
    return labels, (np.round(scores, 1) if ties else scores), user_ids


def batch_of(labels, scores, users=None):
    rows = len(labels)
    overall = SliceColumn(np.zeros(rows, np.int64), ((),))
    return EvaluationBatch(
        [overall], labels[None], np.ones((1, rows), bool), scores[:, None], users
    )


def evaluate(batches, models):
    """AUCs (M,) and their spread through both passes."""
    totals = SliceTotals(models, 1, 100)
    for batch in batches:
        totals.add(batch)
    passed = PairedPass(totals)
    moments = PairedMoments.zeros((1, 1), models)
    if batches[0].users is None:
        for batch in batches:
            moments.add(passed.moments(batch))
    else:
        sums = ClusterSums(models)
        for batch in batches:
            for _, part in passed.cluster_sums(batch).split(3):
                sums.merge(part)
        for _, part in sums.split(4):
            moments.add(passed.moments_of_clusters(part))
    cluster = None if batches[0].users is None else "user"
    return passed.auc[0, :, 0], passed.spread(moments, cluster)[0, 0]


def known(covariance, clusters=10_000):
    """A spread that is as good as known, of normal contributions."""
    covariance = np.asarray(covariance, float)
    fourth = 3 * np.diagonal(covariance) ** 2 / clusters
    gap = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    of_gap = np.array([3 * gap**2 / clusters])
    return Spread(covariance, fourth, of_gap, *map(np.array, (clusters, clusters / 2, 10.0)))


def direct_delong(labels, scores):
    """DeLong (1988) by the O(m n) matrix of comparisons."""
    comparisons = np.array(
        [
            (s[labels][:, None] > s[~labels]) + 0.5 * (s[labels][:, None] == s[~labels])
            for s in scores
        ]
    )
    of_positives, of_negatives = comparisons.mean(axis=2), comparisons.mean(axis=1)
    covariance = np.cov(of_positives) / labels.sum() + np.cov(of_negatives) / (~labels).sum()
    return comparisons.mean(axis=(1, 2)), covariance


def bootstrap_aucs(rng, labels, scores, draw, repeats=1500):
    found = []
    for _ in range(repeats):
        index = draw(rng)
        if 0 < labels[index].sum() < len(index):
            ranks = stats.rankdata(scores[:, index], axis=1)
            m = labels[index].sum()
            n = len(index) - m
            found.append((ranks[:, labels[index]].sum(axis=1) - m * (m + 1) / 2) / (m * n))
    return np.array(found)


def test_ordered_keys_keep_order_and_ties():
    values = np.array([-np.inf, -3.5, -1e-30, -0.0, 0.0, 1e-45, 1e-7, 0.5, 1.0, np.inf], np.float32)
    keys = ordered_keys(values)
    assert keys[3] == keys[4]
    assert (np.diff(keys.astype(np.int64)) >= 0).all()
    assert len(np.unique(keys)) == len(values) - 1


@pytest.mark.parametrize("ties", [False, True])
def test_equals_direct_delong_and_scikit_learn(ties):
    rng = np.random.default_rng(3)
    labels, scores, _ = simulate(rng, 400, ties=ties)
    batches = [batch_of(labels[i::3], scores[:, i::3]) for i in range(3)]
    aucs, spread = evaluate(batches, 2)
    expected_aucs, expected = direct_delong(labels, scores)
    np.testing.assert_allclose(aucs, [roc_auc_score(labels, s) for s in scores], rtol=1e-12)
    np.testing.assert_allclose(aucs, expected_aucs, rtol=1e-12)
    np.testing.assert_allclose(spread.covariance, expected, rtol=1e-9)


def test_intervals_equal_a_paired_bootstrap():
    rng = np.random.default_rng(11)
    labels, scores, _ = simulate(rng, 1500, gains=(1.6, 1.3))
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    drawn = bootstrap_aucs(rng, labels, scores, lambda r: r.integers(0, 1500, 1500))
    difference = auc_difference(aucs, spread, 1, 0.95)
    width = difference.upper - difference.lower
    expected = np.percentile(drawn[:, 0] - drawn[:, 1], [2.5, 97.5])
    np.testing.assert_allclose(difference[1:3], expected, atol=0.12 * width)
    improvement = relaimp(aucs, spread, 1, 0.95)
    expected = np.percentile(relative_improvement(drawn[:, 0], drawn[:, 1]), [2.5, 97.5])
    width = improvement.upper - improvement.lower
    np.testing.assert_allclose(improvement[1:3], expected, atol=0.12 * width)
    assert improvement.value == pytest.approx(relative_improvement(*aucs))


def test_clustered_variance_equals_a_bootstrap_of_users():
    rng = np.random.default_rng(5)
    labels, scores, users = simulate(rng, 3000, users=150)
    order = rng.permutation(3000)
    batches = [batch_of(labels[i], scores[:, i], users[i]) for i in np.array_split(order, 4)]
    aucs, spread = evaluate(batches, 2)
    covariance = spread.covariance
    rows = [np.flatnonzero(users == user) for user in range(150)]
    drawn = bootstrap_aucs(
        rng, labels, scores, lambda r: np.concatenate([rows[u] for u in r.integers(0, 150, 150)])
    )
    np.testing.assert_allclose(covariance, np.cov(drawn.T), rtol=0.2)
    _, independent = direct_delong(labels, scores)
    assert covariance[0, 0] > 1.5 * independent[0, 0], "users are correlated in this simulation"


def test_one_row_per_user_is_delong():
    rng = np.random.default_rng(6)
    labels, scores, _ = simulate(rng, 300)
    _, spread = evaluate([batch_of(labels, scores, np.arange(300, dtype=np.uint64))], 2)
    np.testing.assert_allclose(spread.covariance, direct_delong(labels, scores)[1], rtol=1e-9)


def test_coarsening_is_bounded_by_ties_and_does_not_depend_on_order(monkeypatch):
    monkeypatch.setattr(score_histogram, "BUFFERED_ROWS", 700)
    rng = np.random.default_rng(7)
    labels, scores, _ = simulate(rng, 6000, gains=(1.0,))
    groups = rng.integers(0, 2, 6000) * (rng.random(6000) < 0.1)
    tables = []
    for order in (np.arange(6000), rng.permutation(6000), np.argsort(scores[0])):
        parts = []
        for part in np.array_split(order, 5):
            histogram = ScoreHistogram(2, maximum_distinct=600)
            histogram.add(groups[part], scores[0, part], labels[part])
            parts.append(pickle.loads(pickle.dumps(histogram)))
        merged = ScoreHistogram(2, maximum_distinct=600)
        for part in parts:
            merged.merge(part, np.arange(2))
        merged.compact()
        tables.append(merged)
    for other in tables[1:]:
        for name in ("keys", "positives", "negatives", "dropped_bits"):
            np.testing.assert_array_equal(getattr(tables[0], name), getattr(other, name))
    table = tables[0]
    assert np.bincount(table.groups()).max() <= 600
    assert table.dropped_bits[0] > 0 and table.dropped_bits[1] == 0
    assert table.positives.sum() == labels.sum()
    auc = PlacementTable(table).auc
    for group in (0, 1):
        chosen, inside = table.groups() == group, groups == group
        both = table.positives[chosen].sum() * table.negatives[chosen].sum()
        bound = (table.positives[chosen] * table.negatives[chosen]).sum() / 2 / both
        error = abs(auc[group] - roc_auc_score(labels[inside], scores[0, inside]))
        assert error <= bound + 1e-12
        assert bound < 2 / 600 or group == 1
        assert error < 1e-4


def test_many_groups_share_one_total_in_any_order(monkeypatch):
    monkeypatch.setattr(score_histogram, "BUFFERED_ROWS", 500)
    monkeypatch.setattr(score_histogram, "MINIMUM_SHARE", 50)
    rng = np.random.default_rng(12)
    labels, scores, _ = simulate(rng, 6000, gains=(1.0,))
    groups = rng.integers(0, 10, 6000)
    tables = []
    for order in (np.arange(6000), rng.permutation(6000), np.argsort(groups)):
        merged = ScoreHistogram(10, maximum_distinct=500, maximum_total=2000)
        for part in np.array_split(order, 4):
            single = ScoreHistogram(10, maximum_distinct=500, maximum_total=2000)
            single.add(groups[part], scores[0, part], labels[part])
            merged.merge(single, np.arange(10))
        merged.compact()
        tables.append(merged)
    assert len(tables[0].keys) <= 2000 and np.bincount(tables[0].groups()).max() <= 200
    for other in tables[1:]:
        for name in ("keys", "positives", "negatives", "dropped_bits"):
            np.testing.assert_array_equal(getattr(tables[0], name), getattr(other, name))


def test_totals_merge_in_any_order():
    rng = np.random.default_rng(8)
    parts = []
    for _ in range(4):
        labels, scores, _ = simulate(rng, 60)
        codes, keys = np.unique(rng.choice(list("abcde"), 60)[:, None], return_inverse=True)
        column = SliceColumn(keys.ravel().astype(np.int64), tuple((("f", str(c)),) for c in codes))
        totals = SliceTotals(2, 1, 100)
        batch = batch_of(labels, scores)
        totals.add(EvaluationBatch([*batch.slices, column], batch.labels, batch.population,
                                   batch.scores, None))  # fmt: skip
        parts.append(totals)
    results = []
    for order in itertools.permutations(range(4)):
        merged = SliceTotals(2, 1, 100)
        for part in order:
            merged.merge(parts[part])
        auc = PairedPass(merged).auc
        results.append(
            {
                key: (*auc[i].ravel(), *merged.log_loss[i].ravel(), *merged.examples[i])
                for i, key in enumerate(merged.keys)
            }
        )
    for result in results[1:]:
        assert result.keys() == results[0].keys()
        for key, values in result.items():
            np.testing.assert_allclose(values, results[0][key], rtol=1e-12)


@pytest.mark.parametrize(
    ("candidate", "baseline", "printed"),
    [(0.7483, 0.7401, 3.42), (0.8207, 0.8111, 3.09), (0.7702, 0.7635, 2.54)],
    ids=["DTN table 2 CTR", "DTN table 3 AE CVR", "M3oE table 2 MovieLens"],
)
def test_relaimp_of_the_papers(candidate, baseline, printed):
    assert relative_improvement(candidate, baseline) == pytest.approx(printed, abs=0.006)
    estimate = relaimp(np.array([candidate, baseline]), known(np.full((2, 2), 1e-6)), 1, 0.95)
    assert estimate.value == pytest.approx(printed, abs=0.006)


def test_equal_models_share_their_nominal_rate_of_false_alarms():
    rng = np.random.default_rng(9)
    excluded = {"difference": 0, "relaimp": 0}
    repeats = 800
    for _ in range(repeats):
        labels, scores, _ = simulate(rng, 300, gains=(1.3, 1.3))
        aucs, spread = evaluate([batch_of(labels, scores)], 2)
        difference = auc_difference(aucs, spread, 1, 0.9)
        improvement = relaimp(aucs, spread, 1, 0.9)
        excluded["difference"] += not difference.lower <= 0 <= difference.upper
        excluded["relaimp"] += improvement.lower is None or not (
            improvement.lower <= 0 <= improvement.upper
        )
    # 10 % nominal; 0.06 .. 0.14 is 3.7 standard errors of a share of 800.
    for share in excluded.values():
        assert 0.06 < share / repeats < 0.14


def test_bounds_at_every_level_can_be_asked_for_one_by_one():
    labels, scores, _ = simulate(np.random.default_rng(4), 300)
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    for estimate_at in (
        lambda confidence: auc_estimate(aucs[0], spread, 0, confidence),
        lambda confidence: auc_difference(aucs, spread, 1, confidence),
        lambda confidence: relaimp(aucs, spread, 1, confidence),
    ):
        at_once = estimate_at(0.9)
        one_by_one = with_curve(lambda c, e=estimate_at: e(c)._replace(curve=None), 0.9)
        assert one_by_one[:4] == at_once[:4]
        assert one_by_one.curve.bounds == pytest.approx(at_once.curve.bounds, rel=1e-12)
    assert with_curve(lambda confidence: Estimate(0.7, reason="why"), 0.9).curve is None


def test_one_model_against_itself_is_exactly_equal():
    labels, scores, _ = simulate(np.random.default_rng(2), 200, gains=(1.0,))
    aucs, spread = evaluate([batch_of(labels, np.repeat(scores, 2, axis=0))], 2)
    np.testing.assert_allclose(auc_difference(aucs, spread, 1, 0.95)[:3], 0, atol=1e-7)
    np.testing.assert_allclose(relaimp(aucs, spread, 1, 0.95)[:3], 0, atol=1e-4)


def test_what_is_undefined_has_no_value_and_a_reason():
    spread = known(np.eye(2) * 1e-4)

    def over(baseline, confidence=0.95, spread=spread):
        return relaimp(np.array([0.9, baseline]), spread, 1, confidence)

    assert over(0.5).value is None and "0.5000, is not clearly above 0.5" in over(0.5).reason
    assert over(0.519).value is None, "under 0.5 + 2 SE"
    assert over(0.521).value is not None and over(0.521).reason is None
    assert over(0.521, 0.99).lower is None, "Fieller unbounded"
    assert "0.5210, is too uncertain for a ratio" in over(0.521, 0.99).reason
    assert auc_estimate(np.nan, spread, 0, 0.95) == Estimate()
    assert auc_difference(np.array([0.7, np.nan]), spread, 1, 0.95).value is None
    unknown = known(np.full((2, 2), np.nan))
    assert over(0.8, spread=unknown).value is None
    constant = known(np.zeros((2, 2)))
    found = auc_estimate(0.5, constant, 0, 0.95)
    assert found[:3] == (0.5, None, None) and "all scores" in found.reason
    assert 0.99 < auc_estimate(0.99, known(np.eye(2) * 1e-4), 0, 0.95).upper < 1


def test_too_few_clusters_have_no_interval_and_say_how_many():
    rng = np.random.default_rng(13)
    labels, scores, users = simulate(rng, 600, users=4)
    aucs, spread = evaluate([batch_of(labels, scores, users)], 2)
    assert spread.effective < 4 and spread.clusters == 4
    for found in (
        auc_estimate(aucs[0], spread, 0, 0.95),
        auc_difference(aucs, spread, 1, 0.95),
        relaimp(aucs, spread, 1, 0.95),
    ):
        assert found[1:3] == (None, None)
        assert "too few values of user (the rows of 4 weigh as 3." in found.reason
    labels, scores, _ = simulate(rng, 60)
    labels[:] = np.arange(60) < MINIMUM_EFFECTIVE_CLUSTERS
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    assert auc_estimate(aucs[0], spread, 0, 0.95).lower is not None
    labels[0] = False
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    found = auc_estimate(aucs[0], spread, 0, 0.95)
    assert found.lower is None and found.reason == "too few rows of one class (5, 6 are needed)"


def test_one_heavy_user_counts_as_few_users():
    rng = np.random.default_rng(14)
    labels, scores, users = simulate(rng, 2000, users=100)
    _, alike = evaluate([batch_of(labels, scores, users)], 2)
    heavy = np.where(rng.random(2000) < 0.4, np.uint64(0), users)
    aucs, spread = evaluate([batch_of(labels, scores, heavy)], 2)
    assert alike.effective > 40 and alike.degrees_of_auc(0) > 20
    assert spread.effective < 7 and spread.degrees_of_auc(0) < 1.5 * 6


def test_degrees_of_freedom_are_those_of_normal_contributions():
    # n contributions that are normal leave about n degrees of freedom, a few large ones few.
    rng = np.random.default_rng(15)
    for scale, low, high in (
        (np.ones(400), 300, 460),
        (np.r_[np.full(4, 300.0), np.ones(396)], 1, 6),
    ):
        influence = scale * rng.normal(size=(2, 400)) / 400
        shares = np.full((2, 400), 1 / 400)
        moments = PairedMoments.of_clusters(np.zeros(400, int), influence, shares, 1)
        spread = Spread.of_moments(moments)[0,]
        assert low < spread.degrees_of_auc(0) < high
        gap = influence[0] - influence[1]
        variance = spread.variance_of_difference(1)
        assert variance == pytest.approx((gap**2).sum())
        assert spread.share_of_difference(1) == pytest.approx((gap**4).sum() / variance**2)
        assert spread.degrees_of_difference == 399


def test_moments_of_equal_models_do_not_cancel():
    rng = np.random.default_rng(16)
    first = rng.normal(size=200)
    influence = np.stack([first, first + 1e-6 * rng.normal(size=200)])
    shares = np.full((2, 200), 1 / 200)
    moments = PairedMoments.of_clusters(np.zeros(200, int), influence, shares, 1)
    gap = influence[0] - influence[1]
    assert moments.gap_fourth[0, 0] == pytest.approx((gap**4).sum())


def test_exact_bounds_are_those_of_binomial_pairs():
    assert exact_bounds(1.0, 50, 0.95) == (pytest.approx(0.025 ** (1 / 50)), 1.0)
    assert exact_bounds(0.0, 50, 0.95) == (0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    found = stats.binomtest(47, 50).proportion_ci(0.95, "exact")
    assert exact_bounds(47 / 50, 50, 0.95) == pytest.approx((found.low, found.high))


def test_a_perfect_candidate_has_a_bound_by_the_pairs_that_are_independent():
    rng = np.random.default_rng(17)
    labels, scores, _ = simulate(rng, 400, share=0.2)
    scores[0] = np.where(labels, 0.9, 0.1)
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    positives = int(labels.sum())
    own = auc_estimate(aucs[0], spread, 0, 0.95)
    assert own.value == own.upper == 1.0
    assert own.lower == pytest.approx(0.025 ** (1 / positives))
    difference = auc_difference(aucs, spread, 1, 0.95)
    other = auc_estimate(aucs[1], spread, 1, 0.95)
    # Towards 0 the paired variance decides, which is the baseline's alone.
    wanted = quantile_of_difference(spread, 1, 0.95)
    half = wanted * np.sqrt(spread.variance(1))
    assert difference.lower == pytest.approx(difference.value - half)
    # Away from it the candidate can be no better than it is, the baseline worse than it looks.
    assert difference.upper == pytest.approx(1 - other.lower, abs=1e-4)
    improvement = relaimp(aucs, spread, 1, 0.95)
    assert 0 < improvement.lower < improvement.value < improvement.upper
    # Fieller's bound is where candidate - r · baseline is as far from 0 as it reaches.
    ratio = improvement.lower / 100 + 1
    assert 0.5 - ratio * (aucs[1] - 0.5) == pytest.approx(ratio * half)
    assert improvement.upper / 100 + 1 == pytest.approx(0.5 / (other.lower - 0.5), rel=1e-3)
    # As many rows of few users say less.
    users = rng.integers(0, 30, 400).astype(np.uint64)
    aucs, spread = evaluate([batch_of(labels, scores, users)], 2)
    assert 12 < spread.pairs < 15
    few = auc_estimate(aucs[0], spread, 0, 0.95)
    assert few.lower == pytest.approx(0.025 ** (1 / float(spread.pairs)))


def test_a_spread_that_rests_on_one_row_is_not_believed():
    rng = np.random.default_rng(18)
    labels, scores, _ = simulate(rng, 400, share=0.2)
    scores[0] = np.where(labels, 0.9, 0.1) + 0.05 * rng.random(400)
    scores[0, np.flatnonzero(labels)[0]] = np.median(scores[0, ~labels])
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    assert 0.99 < aucs[0] < 1 and spread.degrees_of_auc(0) < 2
    found = auc_estimate(aucs[0], spread, 0, 0.95)
    assert found[1:3] == pytest.approx(exact_bounds(aucs[0], float(labels.sum()), 0.95))


def test_two_perfect_models_are_not_shown_to_be_equal():
    labels = np.arange(300) < 60
    scores = np.stack([labels + 0.1, 0.5 * labels + 0.2]).astype(np.float32)
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    difference = auc_difference(aucs, spread, 1, 0.95)
    reach = 1 - 0.025 ** (1 / 60)
    assert difference.value == 0
    assert difference[1:3] == pytest.approx((-reach, reach), rel=1e-3)
    improvement = relaimp(aucs, spread, 1, 0.95)
    assert improvement.lower < 0 < improvement.upper


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_difference_that_rests_on_three_rows_is_never_shown(rows):
    """However the few positives fall that the candidate ranks otherwise than the baseline."""
    labels = np.arange(1000) < 60
    scores = np.tile(np.linspace(1.0, 0.0, 1000), (2, 1)).astype(np.float32)
    scores[1, 20 : 20 + rows] = 0.3
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    assert spread.share_of_difference(1) == pytest.approx(1 / rows, rel=0.15)
    difference = auc_difference(aucs, spread, 1, 0.95)
    assert difference.lower < 0 < difference.value < difference.upper
    assert relaimp(aucs, spread, 1, 0.95).lower < 0


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.99, 0.9999])
def test_the_quantile_shrinks_by_what_the_largest_contributions_make_up(confidence):
    rng = np.random.default_rng(19)
    found = []
    for few in (2, 5, 400):
        influence = np.stack([np.where(np.arange(400) < few, 1.0, 1e-3), np.zeros(400)])
        influence *= np.where(rng.random(400) < 0.5, -1, 1)
        shares = np.full((2, 400), 1 / 400)
        moments = PairedMoments.of_clusters(np.zeros(400, int), influence, shares, 1)
        spread = Spread.of_moments(moments)[0,]
        assert spread.share_of_difference(1) == pytest.approx(1 / few, rel=0.01)
        found.append(quantile_of_difference(spread, 1, confidence))
    student = stats.t.ppf(0.5 + confidence / 2, 399)
    if confidence == 0.95:
        expected = [student * (1 - 0.297 / few) for few in (2, 5, 400)]
        assert found == pytest.approx(expected, abs=2e-3)
    assert found == sorted(found) and 0.65 * student < found[0]
    assert found[2] == pytest.approx(student, rel=2e-3)


def test_one_class_and_single_positive():
    rng = np.random.default_rng(1)
    scores = rng.random((2, 20)).astype(np.float32)
    aucs, spread = evaluate([batch_of(np.zeros(20, bool), scores)], 2)
    assert np.isnan(aucs).all() and np.isnan(spread.covariance).all()
    labels = np.arange(20) == 4
    aucs, spread = evaluate([batch_of(labels, scores)], 2)
    assert np.isfinite(aucs).all() and np.isnan(spread.covariance).all()


def test_undefined_scores_hide_only_their_model():
    rng = np.random.default_rng(4)
    labels, scores, _ = simulate(rng, 300)
    _, expected = direct_delong(labels, scores)
    broken = scores.copy()
    broken[1, 7] = np.nan
    aucs, spread = evaluate([batch_of(labels, broken)], 2)
    covariance = spread.covariance
    assert np.isfinite(aucs[0]) and np.isnan(aucs[1])
    assert covariance[0, 0] == pytest.approx(expected[0, 0])
    assert np.isnan(covariance[0, 1]) and np.isnan(covariance[1, 1])
