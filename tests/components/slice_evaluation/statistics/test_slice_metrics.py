"""The finished numbers of a slice, and the reasons where there are none."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    SliceMetricsBuilder,
    comparison_name,
)
from tests.components.slice_evaluation.both_passes import measure
from tests.components.slice_evaluation.made_batches import batch, key

MODELS = ("candidate", "baseline")


def _built(made, models=MODELS, tasks=("ctr",), confidence=0.95):
    """By slice: value, or value and bounds, by (metric, model, task)."""
    second, spread, measured = measure([made], ())
    built = SliceMetricsBuilder(models, tasks, confidence).build(second.paired, spread, measured)
    return {
        slice_key: {tuple(place): _plain(value) for place, value in metrics.items()}
        for slice_key, metrics in built
    }


def _plain(value):
    if not isinstance(value, Estimate):
        return value
    return value.value if value.lower is None else value[:3]


@pytest.fixture(scope="module")
def made():
    """Two models that agree in part; the last city has positives only."""
    rng = np.random.default_rng(11)
    labels = rng.random(300) < 0.4
    common = rng.normal(size=300)
    scores = [
        1 / (1 + np.exp(-(gain * labels + common + 0.5 * rng.normal(size=300))))
        for gain in (1.6, 0.9)
    ]
    city = rng.choice(["a", "b"], 300)
    city[np.flatnonzero(labels)[:7]] = "c"
    return batch([labels], np.array(scores)[:, None], city=city)


def test_counts_losses_and_calibration_are_those_of_scikit_learn(made):
    found = _built(made)
    assert list(found) == [(), key("city", "a"), key("city", "b"), key("city", "c")]
    labels, scores = made.labels[0], made.scores[:, 0].astype(np.float64)
    for number, model in enumerate(MODELS):
        own = {name: found[()][name, model, "ctr"] for name in
               ("example_count", "positives", "undefined_predictions", "binary_crossentropy",
                "calibration", "auc")}  # fmt: skip
        assert (own["example_count"], own["positives"]) == (300, labels.sum())
        assert own["undefined_predictions"] == 0
        loss, lower, upper = own["binary_crossentropy"]
        assert loss == pytest.approx(log_loss(labels, scores[number]))
        assert 0 < lower < loss < upper
        ratio, lower, upper = own["calibration"]
        assert ratio == pytest.approx(scores[number].mean() / labels.mean(), rel=1e-6)
        assert 0 < lower < ratio < upper
        value, lower, upper = own["auc"]
        assert value == pytest.approx(roc_auc_score(labels, scores[number]), abs=1e-12)
        assert 0 < lower < value < upper < 1


def test_the_comparison_is_of_the_two_aucs_under_a_name_of_its_own(made):
    found = _built(made)[()]
    candidate, baseline = (found["auc", model, "ctr"][0] for model in MODELS)
    name = comparison_name("baseline")
    assert name == "candidate vs baseline"
    value, lower, upper = found["auc_difference", name, "ctr"]
    assert value == pytest.approx(candidate - baseline)
    assert lower < value < upper
    improvement = found["relaimp", name, "ctr"][0]
    assert improvement == pytest.approx(100 * ((candidate - 0.5) / (baseline - 0.5) - 1))
    assert not [metric for metric, _, _ in found if metric.endswith("_reason")]


def test_bounds_at_every_level_stand_beside_the_interval(made):
    found = _built(made)[()]
    for metric, model in (
        ("auc", "candidate"),
        ("auc", "baseline"),
        ("relaimp", comparison_name("baseline")),
        ("auc_difference", comparison_name("baseline")),
    ):
        curve = ConfidenceCurve.from_text(found[f"{metric}_confidence_curve", model, "ctr"])
        value, lower, upper = found[metric, model, "ctr"]
        assert curve.bound(0.5, "lower") == pytest.approx(value)
        assert curve.bound(0.025, "lower") == pytest.approx(lower, abs=0.01 * (upper - lower))
        assert curve.bound(0.025, "upper") == pytest.approx(upper, abs=0.01 * (upper - lower))
    # Of a slice with one class there is none.
    assert not [name for name in _built(made)[key("city", "c")] if name[0].startswith("auc_conf")]


def test_a_wider_confidence_gives_wider_intervals(made):
    widths = []
    for confidence in (0.8, 0.95, 0.99):
        _, lower, upper = _built(made, confidence=confidence)[()]["auc", "candidate", "ctr"]
        widths.append(upper - lower)
    assert widths == sorted(widths) and widths[0] < 0.8 * widths[2]


def test_a_slice_of_one_class_says_so_and_keeps_its_counts(made):
    found = _built(made)[key("city", "c")]
    assert found["example_count", "candidate", "ctr"] == 7
    for model in MODELS:
        assert ("auc", model, "ctr") not in found
        assert found["auc_reason", model, "ctr"] == "7 positives of 7"
    name = comparison_name("baseline")
    for metric in ("relaimp", "auc_difference"):
        assert (metric, name, "ctr") not in found
        reason = found[f"{metric}_reason", name, "ctr"]
        assert reason == "the candidate has no AUC here: 7 positives of 7"


def test_without_positives_there_is_a_loss_but_no_calibration():
    found = _built(batch([[0, 0, 0]], [[[0.1, 0.2, 0.3]]]), models=("candidate",))[()]
    assert ("calibration", "candidate", "ctr") not in found
    expected = -np.log(1 - np.float32([0.1, 0.2, 0.3])).mean()
    assert found["binary_crossentropy", "candidate", "ctr"] == pytest.approx(expected)
    assert found["auc_reason", "candidate", "ctr"] == "0 positives of 3"


def test_a_prediction_that_is_no_number_hides_the_models_metrics_and_is_counted(made):
    scores = made.scores.copy()
    scores[1, 0, [4, 9]] = [np.nan, np.inf]
    found = _built(batch(made.labels, scores))[()]
    assert found["undefined_predictions", "baseline", "ctr"] == 2
    for metric in ("auc", "binary_crossentropy", "calibration"):
        assert (metric, "baseline", "ctr") not in found
        assert (metric, "candidate", "ctr") in found
    assert found["auc_reason", "baseline", "ctr"] == ("2 of 300 predictions are no finite numbers")
    name = comparison_name("baseline")
    assert found["relaimp_reason", name, "ctr"] == (
        "the baseline has no AUC here: 2 of 300 predictions are no finite numbers"
    )


def test_a_task_without_rows_in_a_slice_has_no_metrics_there():
    labels = [[1, 0, 1, 0], [1, 0, 0, 0]]
    population = [[1, 1, 1, 1], [1, 0, 1, 0]]
    scores = np.full((1, 2, 4), 0.5)
    made = batch(labels, scores, population, city=["a", "b", "a", "b"])
    found = _built(made, models=("candidate",), tasks=("ctr", "cvr"))
    assert found[key("city", "a")]["example_count", "candidate", "cvr"] == 2
    assert {task for _, _, task in found[key("city", "b")]} == {"ctr"}


def test_an_auc_of_too_few_rows_has_a_value_without_an_interval():
    found = _built(batch([[1, 0, 1, 0]], [[[0.9, 0.2, 0.4, 0.6]]]), models=("candidate",))[()]
    assert found["auc", "candidate", "ctr"] == 0.75
    assert "too few rows of one class" in found["auc_reason", "candidate", "ctr"]


def test_no_better_than_chance_has_a_difference_and_no_ratio():
    """A ratio to nothing would be any number."""
    rng = np.random.default_rng(2)
    labels = rng.random(400) < 0.5
    scores = np.stack([0.5 * labels + rng.random(400), rng.random(400)])
    found = _built(batch([labels], scores[:, None] / 2))[()]
    name = comparison_name("baseline")
    assert ("relaimp", name, "ctr") not in found
    assert "is not clearly above 0.5" in found["relaimp_reason", name, "ctr"]
    assert found["auc_difference", name, "ctr"][0] > 0.1
