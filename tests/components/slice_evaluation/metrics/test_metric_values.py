"""Every metric against scikit-learn or the plain formula, with weights, ties, slices, batches."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import (
    brier_score_loss,
    log_loss,
    mean_squared_error,
    ndcg_score,
    roc_auc_score,
)

from tests.components.slice_evaluation.both_passes import ALL_METRICS, finished
from tests.components.slice_evaluation.made_batches import batch, direct_auc, key

ROWS, MODELS = 900, ("candidate", "baseline")


@pytest.fixture(scope="module")
def rows():
    """Two models that round their scores, so that many are ties; users with several requests."""
    rng = np.random.default_rng(5)
    users = rng.integers(1, 70, ROWS)
    labels = rng.random(ROWS) < 0.15 + 0.4 * (users % 3 == 0)
    noise = rng.normal(size=(2, ROWS))
    scores = np.clip(np.round(0.3 + 0.15 * labels + 0.15 * noise, 1), 0.05, 0.95)
    return {
        "labels": labels,
        "scores": scores.astype(np.float32),
        "weights": np.where(rng.random(ROWS) < 0.1, 0.0, 0.2 + rng.random(ROWS)),
        "users": users,
        # Half of the requests have the same number for another user.
        "requests": rng.integers(1, 4, ROWS),
        "city": rng.choice(["a", "b"], ROWS, p=[0.7, 0.3]),
    }


@pytest.fixture(scope="module")
def found(rows):
    order = np.random.default_rng(1).permutation(ROWS)
    batches = [
        batch(
            [rows["labels"][part]],
            rows["scores"][:, None, part],
            [rows["weights"][part]],
            rows["users"][part],
            requests=rows["requests"][part],
            city=rows["city"][part],
        )
        for part in np.array_split(order, 4)
    ]
    return finished(batches, partitions=3)


SLICES = {(): None, key("city", "a"): "a", key("city", "b"): "b"}


def _each(rows):
    """Slice, model, and the labels, scores, weights, users, requests of its rows."""
    for (slice_key, city), model in itertools.product(SLICES.items(), (0, 1)):
        inside = (rows["weights"] > 0) & ((rows["city"] == city) if city else True)
        names = ("labels", "weights", "users", "requests")
        own = {name: rows[name][inside] for name in names}
        own["scores"] = rows["scores"][model, inside].astype(np.float64)
        yield slice_key, MODELS[model], own


def _value(found, slice_key, metric, model):
    value = found[slice_key][metric, model, "ctr"]
    return value if isinstance(value, int) else value.value


def _check(rows, found, metric, expected, rel=1e-9):
    for slice_key, model, own in _each(rows):
        value = _value(found, slice_key, metric, model)
        assert value == pytest.approx(expected(own), rel=rel), (slice_key, model)


def test_weighted_auc_and_xauc_are_those_of_scikit_learn(rows, found):
    for metric in ("auc", "xauc"):
        _check(
            rows,
            found,
            metric,
            lambda own: roc_auc_score(own["labels"], own["scores"], sample_weight=own["weights"]),
        )


def test_weighted_log_loss_is_that_of_scikit_learn(rows, found):
    _check(
        rows,
        found,
        "binary_crossentropy",
        lambda own: log_loss(own["labels"], own["scores"], sample_weight=own["weights"]),
    )


def test_weighted_calibration_is_the_ratio_of_the_means(rows, found):
    _check(
        rows,
        found,
        "calibration",
        lambda own: (own["weights"] @ own["scores"]) / (own["weights"] @ own["labels"]),
    )


def test_normalised_entropy_is_the_loss_over_that_of_the_base_rate(rows, found):
    def expected(own):
        rate = np.average(own["labels"], weights=own["weights"])
        arguments = {"sample_weight": own["weights"]}
        constant = np.full(len(own["labels"]), rate)
        base = log_loss(own["labels"], constant, **arguments)
        return log_loss(own["labels"], own["scores"], **arguments) / base

    _check(rows, found, "normalised_entropy", expected)


def test_rmse_is_the_root_of_scikit_learns_squared_error_and_of_the_brier_score(rows, found):
    for function in (mean_squared_error, brier_score_loss):
        _check(
            rows,
            found,
            "rmse",
            lambda own, function=function: np.sqrt(
                function(own["labels"], own["scores"], sample_weight=own["weights"])
            ),
        )


def test_ece_is_the_weighted_distance_of_bins_of_equal_weight(rows, found):
    def expected(own):
        order = np.argsort(own["scores"], kind="stable")
        labels, scores, weights = (own[n][order] for n in ("labels", "scores", "weights"))
        total, error, bins = weights.sum(), 0.0, {}
        for score in np.unique(scores):
            same = scores == score
            middle = weights[scores < score].sum() + weights[same].sum() / 2
            bins.setdefault(int(15 * middle / total), []).append(same)
        for members in bins.values():
            inside = np.any(members, axis=0)
            error += abs(weights[inside] @ (scores[inside] - labels[inside]))
        return error / total

    _check(rows, found, "ece", expected)


def _users(own):
    for user in np.unique(own["users"]):
        inside = own["users"] == user
        yield {name: values[inside] for name, values in own.items()}


def _requests(own):
    for user in _users(own):
        for request in np.unique(user["requests"]):
            inside = user["requests"] == request
            yield {name: values[inside] for name, values in user.items()}


def test_gauc_is_the_mean_of_the_users_aucs(rows, found):
    def aucs(own):
        both = [user for user in _users(own) if 0 < user["labels"].mean() < 1]
        values = [
            roc_auc_score(user["labels"], user["scores"], sample_weight=user["weights"])
            for user in both
        ]
        return values, [user["weights"].sum() for user in both]

    def by_rows(own):
        values, weights = aucs(own)
        return np.average(values, weights=weights)

    _check(rows, found, "gauc", by_rows)
    _check(rows, found, "gauc_equal", lambda own: np.mean(aucs(own)[0]))
    _check(
        rows,
        found,
        "gauc_left_out",
        lambda own: sum(user["labels"].mean() in (0, 1) for user in _users(own)),
    )


def _mean_over_requests(own, value):
    counting = [request for request in _requests(own) if request["labels"].any()]
    weights = [request["weights"].mean() for request in counting]
    return np.average([value(request) for request in counting], weights=weights)


@pytest.mark.parametrize(("metric", "cutoff"), [("ndcg", None), ("ndcg@3", 3)])
def test_ndcg_is_that_of_scikit_learn(rows, found, metric, cutoff):
    def value(request):
        if len(request["labels"]) == 1:
            return 1.0  # scikit-learn refuses a single row.
        return ndcg_score([request["labels"]], [request["scores"]], k=cutoff)

    _check(rows, found, metric, lambda own: _mean_over_requests(own, value))
    _check(
        rows,
        found,
        f"{metric}_left_out",
        lambda own: sum(not request["labels"].any() for request in _requests(own)),
    )


def _expected_over_orders(request, value):
    """Mean over all orders in which no row stands before one with a higher score."""
    found = []
    for order in itertools.permutations(range(len(request["scores"]))):
        scores = request["scores"][list(order)]
        if (np.diff(scores) <= 0).all():
            found.append(value(request["labels"][list(order)]))
    return np.mean(found)


def _first(labels, cutoff):
    rank = np.flatnonzero(labels)[0] + 1
    return 1 / rank if rank <= cutoff else 0.0


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("mrr", lambda labels: _first(labels, 100)),
        ("mrr@2", lambda labels: _first(labels, 2)),
        ("recall@3", lambda labels: labels[:3].sum() / labels.sum()),
        (
            "ndcg@3",
            lambda labels: (labels[:3] / np.log2([2, 3, 4][: len(labels)])).sum()
            / (1 / np.log2([2, 3, 4][: min(labels.sum(), 3)])).sum(),
        ),
    ],
)
def test_ties_stand_in_any_order_with_the_same_probability(metric, value):
    """All orders of up to seven rows, of which many have the same score."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 8, 25)
    requests = np.repeat(np.arange(1, 26), sizes)
    labels = rng.random(len(requests)) < 0.4
    scores = rng.integers(0, 3, (1, 1, len(requests))) / 4
    found = finished([batch([labels], scores, requests=requests)], (metric,))
    each = [
        {"labels": labels[requests == number], "scores": scores[0, 0, requests == number]}
        for number in range(1, 26)
    ]
    expected = [_expected_over_orders(one, value) for one in each if one["labels"].any()]
    assert found[()][metric, "candidate", "ctr"].value == pytest.approx(np.mean(expected))
    assert found[()][f"{metric}_left_out", "candidate", "ctr"] == 25 - len(expected) > 0


def test_a_model_that_scores_all_rows_alike_gains_nothing_by_the_order_of_the_rows():
    labels = np.array([1, 0, 0, 0] * 50, bool)
    requests = np.repeat(np.arange(1, 51), 4)
    made = batch([labels], np.full((1, 1, 200), 0.5), requests=requests)
    found = finished([made], ("mrr", "recall@1", "ndcg@1"))[()]
    assert found["recall@1", "candidate", "ctr"].value == pytest.approx(0.25)
    assert found["ndcg@1", "candidate", "ctr"].value == pytest.approx(0.25)
    assert found["mrr", "candidate", "ctr"].value == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_numbers_as_labels_have_rmse_xauc_and_calibration_and_nothing_of_classes():
    rng = np.random.default_rng(8)
    users = rng.integers(1, 40, 400)
    labels = np.round(rng.gamma(2.0, size=400), 1)
    scores = np.round(labels + rng.normal(size=(2, 400)), 1)
    weights = 0.5 + rng.random(400)
    found = finished(
        [batch([labels], scores[:, None], [weights], users, requests=users)],
        regressions=(0,),
    )[()]
    names = {place.name for place in found if place.model == "candidate"}
    metrics = {name for name in names if name in ALL_METRICS}
    assert metrics == {"calibration", "rmse", "xauc"}
    assert found["auc_reason", "candidate", "ctr"] == "its labels are numbers"
    served = np.float32(scores).astype(np.float64)
    for number, model in enumerate(MODELS):
        square = mean_squared_error(labels, served[number], sample_weight=weights)
        assert found["rmse", model, "ctr"].value == pytest.approx(np.sqrt(square))
        ratio = (weights @ served[number]) / (weights @ labels)
        assert found["calibration", model, "ctr"].value == pytest.approx(ratio)
        pair = weights[:, None] * weights * (labels[:, None] > labels)
        gaps = served[number][:, None] - served[number]
        right = pair * ((gaps > 0) + 0.5 * (gaps == 0))
        estimate = found["xauc", model, "ctr"]
        assert estimate.value == pytest.approx(right.sum() / pair.sum())
        assert estimate.lower < estimate.value < estimate.upper


def test_a_task_with_classes_beside_one_with_numbers_has_the_auc_as_its_xauc():
    rng = np.random.default_rng(9)
    labels = np.stack([(rng.random(300) < 0.4).astype(float), rng.gamma(2.0, size=300)])
    scores = rng.random((2, 2, 300)) + 0.3 * labels
    made = batch(labels, scores, None, rng.integers(1, 40, 300))
    found = finished([made], ("xauc", "gauc", "rmse"), regressions=(1,))[()]
    for model in MODELS:
        assert found["xauc", model, "ctr"] == found["auc", model, "ctr"]
        assert ("auc", model, "cvr") not in found and ("gauc", model, "cvr") not in found
        assert found["xauc", model, "cvr"].lower < found["xauc", model, "cvr"].value
    versus = "candidate vs baseline"
    assert found["xauc_difference", versus, "ctr"] == found["auc_difference", versus, "ctr"]
    assert found["rmse_difference", versus, "cvr"].lower is not None


def test_numbers_that_add_up_to_nothing_have_no_calibration_and_say_why():
    labels = np.r_[np.ones(20), -np.ones(20)]
    made = batch([labels + 0.0], np.random.default_rng(0).normal(size=(1, 1, 40)))
    found = finished([made], ("rmse",), regressions=(0,))[()]
    assert found["calibration_reason", "candidate", "ctr"] == "its labels add up to 0"
    assert found["rmse", "candidate", "ctr"].lower > 0


def test_the_share_of_pairs_in_order_is_that_of_the_other_tests():
    """`direct_auc` and the formula above count the same pairs."""
    labels, scores = [1, 0, 1, 0, 0], [0.3, 0.3, 0.9, 0.1, 0.95]
    found = finished([batch([labels], [[scores]])], ("xauc",))[()]
    expected = pytest.approx(direct_auc(labels, scores), abs=1e-15)
    assert found["xauc", "candidate", "ctr"].value == expected
