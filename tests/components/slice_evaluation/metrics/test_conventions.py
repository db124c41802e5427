"""What is undefined: left out, counted, and said; and the names that are no metrics."""

import re
from pathlib import Path

import numpy as np
import pytest

from mtlx.components.slice_evaluation.metrics import METRICS
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.metrics.metric_names import (
    build_metric,
    metric_title,
    needed_keys,
)
from tests.components.slice_evaluation.both_passes import ALL_METRICS, finished
from tests.components.slice_evaluation.made_batches import batch

PLACE = ("candidate", "ctr")


def _one_class_users():
    """Each user has one class only, each request its positives alone or none."""
    users = np.repeat(np.arange(1, 21), 10)
    return batch(
        [users % 2 == 0], np.random.default_rng(0).random((1, 1, 200)), None, users, requests=users
    )


def test_users_with_one_class_have_no_gauc_and_it_says_how_many():
    found = finished([_one_class_users()])[()]
    for metric in ("gauc", "gauc_equal"):
        assert (metric, *PLACE) not in found
        assert found[(f"{metric}_left_out", *PLACE)] == 20
        reason = found[(f"{metric}_reason", *PLACE)]
        assert reason == "no users with both classes (20 are left out)"
    assert found[("auc", *PLACE)].value > 0


def test_requests_without_a_positive_are_left_out_and_counted():
    found = finished([_one_class_users()])[()]
    # Those that count have positives only: no order of them is better than another.
    for metric in ("ndcg", "ndcg@3", "mrr"):
        assert found[(metric, *PLACE)].value == pytest.approx(1.0)
        assert found[(f"{metric}_left_out", *PLACE)] == 10
    assert found[("recall@3", *PLACE)].value == pytest.approx(0.3)


def test_no_request_with_a_positive_has_no_value_and_a_reason():
    made = batch([np.zeros(60)], np.full((1, 1, 60), 0.1), requests=np.repeat([1, 2, 3], 20))
    found = finished([made], ("ndcg", "calibration", "normalised_entropy"))[()]
    assert ("ndcg", *PLACE) not in found
    assert found[("ndcg_reason", *PLACE)] == "0 positives of 60"
    for metric in ("calibration", "normalised_entropy"):
        assert (metric, *PLACE) not in found
        assert found[(f"{metric}_reason", *PLACE)] == "0 positives of 60"


def test_rows_without_a_request_are_in_no_request():
    requests = np.r_[np.repeat([1, 2], 3), np.zeros(4)]
    labels = [1, 0, 0, 0, 1, 0, 1, 1, 1, 1]
    scores = np.linspace(0.9, 0.1, 10)[None, None]
    found = finished([batch([labels], scores, requests=requests)], ("mrr",))[()]
    assert found[("mrr", *PLACE)].value == pytest.approx((1 + 1 / 2) / 2)
    assert found[("mrr_left_out", *PLACE)] == 0


def test_the_same_request_of_another_user_is_another_request():
    labels, scores = [1, 0, 1, 0], np.array([[[0.9, 0.8, 0.2, 0.1]]])
    made = batch([labels], scores, None, [1, 1, 2, 2], requests=[7, 7, 7, 7])
    assert finished([made], ("mrr", "recall@1"))[()][("recall@1", *PLACE)].value == 1.0


def test_a_prediction_that_is_no_number_hides_all_metrics_of_the_model_and_no_other():
    rng = np.random.default_rng(1)
    users = rng.integers(1, 30, 400)
    scores = rng.random((2, 1, 400))
    scores[1, 0, 7] = np.nan
    made = batch([rng.random(400) < 0.4], scores, None, users, requests=users)
    found = finished([made])[()]
    for metric in ALL_METRICS:
        stored = "binary_crossentropy" if metric == "log_loss" else metric
        assert found[stored, "candidate", "ctr"].value > 0
        assert (stored, "baseline", "ctr") not in found
        reason = "1 of 400 predictions are no finite numbers"
        assert found[f"{stored}_reason", "baseline", "ctr"] == reason
        compared = found[f"{stored}_difference_reason", "candidate vs baseline", "ctr"]
        assert compared.startswith("the baseline has no ") and compared.endswith(reason)


def test_too_few_users_have_a_value_and_no_interval():
    rng = np.random.default_rng(1)
    users = rng.integers(1, 5, 400)
    made = batch([rng.random(400) < 0.4], rng.random((1, 1, 400)), None, users, requests=users)
    found = finished([made])[()]
    for metric in ("gauc", "ndcg", "calibration", "rmse"):
        assert found[(metric, *PLACE)].value > 0 and found[(metric, *PLACE)].lower is None
        assert "too few values of user (the rows of 4 weigh" in found[(f"{metric}_reason", *PLACE)]


def test_users_who_are_all_alike_have_no_interval_of_their_mean():
    users = np.repeat(np.arange(1, 31), 4)
    labels, scores = np.tile([1, 0, 1, 0], 30), np.tile([0.9, 0.5, 0.2, 0.1], 30)
    found = finished([batch([labels], scores[None, None], None, users)], ("gauc",))[()]
    assert found[("gauc", *PLACE)].value == 0.75 and found[("gauc", *PLACE)].lower is None
    assert found[("gauc_reason", *PLACE)] == (
        "all users with both classes are alike, so the spread is unknown"
    )


def test_all_users_ordered_perfectly_have_a_lower_end_and_no_upper_one():
    users = np.repeat(np.arange(1, 31), 4)
    labels, scores = np.tile([1, 0, 1, 0], 30), np.tile([0.9, 0.5, 0.8, 0.1], 30)
    found = finished([batch([labels], scores[None, None], None, users)], ("gauc",))[()]
    assert found[("gauc", *PLACE)][:3] == pytest.approx((1.0, 0.025 ** (1 / 30), 1.0))


def test_two_perfect_models_are_not_surely_equal():
    users = np.repeat(np.arange(1, 31), 4)
    labels, scores = np.tile([1, 0, 1, 0], 30), np.tile([0.9, 0.5, 0.8, 0.1], 30)
    made = batch([labels], np.stack([scores, scores / 2])[:, None], None, users)
    difference = finished([made], ("gauc",))[()]["gauc_difference", "candidate vs baseline", "ctr"]
    assert difference.value == 0 and difference.lower < -0.05 and difference.upper > 0.05


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gacu", "unknown metric 'gacu'.*gauc"),
        ("gauc@5", "'gauc' takes no cut-off: write 'gauc' for 'gauc@5'"),
        ("ndcg@0", "'ndcg@0': a cut-off is 1 or more"),
        ("ndcg@ten", "'ndcg@ten': a cut-off is written as ndcg@10"),
    ],
)
def test_names_that_are_no_metrics_are_refused_with_a_remedy(name, message):
    with pytest.raises(ValueError, match=message):
        build_metric(name)


def test_every_registered_metric_says_what_it_is():
    for name in METRICS:
        metric = build_metric(name)
        assert metric.title and metric.scale in ("linear", "log", "logit")
        assert metric.better in ("higher", "lower", "one") and metric.__doc__
    assert metric_title("ndcg@10") == "NDCG@10"
    assert list(ChosenMetrics(["gauc", "ece"]).all) == [
        *("auc", "log_loss", "calibration", "gauc", "ece")
    ]


def test_metrics_of_users_and_of_requests_say_which_setting_they_need():
    assert needed_keys(["auc", "ece"]) == {}
    assert needed_keys(["gauc", "mrr", "ndcg@5"]) == {"user_key": "gauc", "request_key": "mrr"}


def test_the_page_has_a_row_for_every_metric():
    page = (Path(__file__).parents[4] / "docs/evaluation.md").read_text(encoding="utf-8")
    for name in METRICS:
        assert re.search(rf"^\| `{name}` \| .+ \| (higher|lower|1) \| ", page, re.M), name
