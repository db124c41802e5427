"""What each cluster adds to a metric: its derivative by the cluster's weight, found by trying."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.components.slice_evaluation.both_passes import measure
from tests.components.slice_evaluation.made_batches import batch, key

USERS, STEP = 14, 1e-5
BINARY = (
    *("log_loss", "calibration", "normalised_entropy", "ece", "rmse", "gauc"),
    *("ndcg@3", "mrr", "recall@3"),
)


def _rows(numbers):
    rng = np.random.default_rng(4)
    users = np.repeat(np.arange(1, USERS + 1), rng.integers(4, 12, USERS))
    size = len(users)
    labels = rng.gamma(2.0, size=size) if numbers else rng.random(size) < 0.4
    scores = np.float32(0.3 + 0.2 * (labels - 0.4) + 0.2 * rng.normal(size=(2, size)))
    scores = np.clip(scores, 0.02, 0.98)
    city = np.array(["a", "b"])[rng.integers(0, 2, size)]
    return labels, scores, 0.5 + rng.random(size), users, rng.integers(1, 3, size), city


def _measured(rows, metric, factors, numbers):
    labels, scores, weights, users, requests, city = rows
    made = batch(
        [labels],
        scores[:, None],
        [weights * factors[users]],
        users,
        requests=requests,
        city=city,
    )
    second, _, measured = measure([made], (metric,), (0,) if numbers else ())
    return second.paired.totals.keys, measured[metric]


def _by_trying(rows, metric, numbers):
    """Each user's influence on each slice and model ``(U, S, M)``."""
    found = []
    for user in range(1, USERS + 1):
        ends = []
        for step in (STEP, -STEP):
            factors = np.ones(USERS + 1)
            factors[user] += step
            ends.append(_measured(rows, metric, factors, numbers)[1].values[..., 0])
        found.append((ends[0] - ends[1]) / (2 * STEP))
    return np.array(found)


@pytest.mark.parametrize("metric", [*BINARY, "rmse numbers", "calibration numbers", "xauc numbers"])
def test_covariances_are_sums_of_products_of_derivatives(metric):
    metric, numbers = metric.split(" ")[0], metric.endswith(" numbers")
    rows = _rows(numbers)
    keys, measured = _measured(rows, metric, np.ones(USERS + 1), numbers)
    influence = _by_trying(rows, metric, numbers)
    labels, _, weights, users, requests, city = rows
    for number, slice_key in enumerate(keys):
        inside = np.ones(len(users), bool)
        if slice_key:
            inside = np.array([key("city", name) == slice_key for name in city])
        shares = _shares(metric, labels, weights, users, requests, inside)
        scaled = influence[:, number] / np.sqrt(1 - shares)[:, None]
        expected = scaled.T @ scaled
        covariance = measured.spread[number, 0].covariance
        np.testing.assert_allclose(covariance, expected, rtol=1e-4, err_msg=str(slice_key))
        # The influences of all add up to nothing: more of the same rows is the same value.
        assert abs(influence[:, number].sum(axis=0)).max() < 1e-7


def _shares(metric, labels, weights, users, requests, inside):
    """Of each user in the weight of all that counts."""
    shares = np.zeros(USERS)
    for user in range(1, USERS + 1):
        own = inside & (users == user)
        if metric == "gauc":
            both = 0 < labels[own].sum() < own.sum()
            shares[user - 1] = both * weights[own].sum()
        elif metric in ("ndcg@3", "mrr", "recall@3"):
            of_requests = [own & (requests == number) for number in (1, 2)]
            shares[user - 1] = sum(weights[one].mean() for one in of_requests if labels[one].any())
        elif metric == "xauc":
            others = weights[inside] * (labels[own][:, None] != labels[inside])
            shares[user - 1] = weights[own] @ others.sum(axis=1)
        else:
            shares[user - 1] = weights[own].sum()
    return shares / shares.sum()


def test_users_who_count_alike_have_the_variance_of_a_plain_mean():
    labels, scores, weights, users, *_ = _rows(numbers=False)
    made = batch([labels], scores[:, None], [weights], users)
    _, _, measured = measure([made], ("gauc_equal",))
    aucs = [
        [
            roc_auc_score(labels[users == u], s[users == u], sample_weight=weights[users == u])
            for s in scores
        ]
        for u in np.unique(users)
        if 0 < labels[users == u].mean() < 1
    ]
    expected = np.cov(np.transpose(aucs)) / len(aucs)
    covariance = measured["gauc_equal"].spread[0, 0].covariance
    np.testing.assert_allclose(covariance, expected, rtol=1e-9)


def test_independent_rows_have_the_variance_of_a_plain_mean():
    """Without users every row is a cluster, and the mean's variance is the textbook's."""
    labels, scores, *_ = _rows(numbers=False)
    _, _, measured = measure([batch([labels], scores[:, None])], ("log_loss",))
    losses = -np.log(np.where(labels, scores, 1 - scores).astype(np.float64))
    expected = np.cov(losses) / len(labels)
    covariance = measured["log_loss"].spread[0, 0].covariance
    np.testing.assert_allclose(covariance, expected, rtol=1e-6)
