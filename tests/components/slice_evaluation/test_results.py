"""An evaluation as gate, report and terminal read it."""

import pytest
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation import results as module
from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.results import (
    Comparison,
    EvaluationResultError,
    SliceMetrics,
    SliceResults,
    load_results,
    write_description,
)
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from tests.components.slice_names import ODD_VALUES

CITY = (("city",),)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads what TFMA's files would hold: records by slice, of (metric, model, task)."""

    def function(records, models=("candidate", "baseline"), tasks=("ctr",), crosses=CITY, **more):
        write_description(
            str(tmp_path), models, tasks, list(crosses), more.pop("order", {}), 0.9, None, **more
        )
        made = [_record(key, values) for key, values in records.items()]
        monkeypatch.setattr(module.tfma, "load_metrics", lambda uri: iter(made))
        return load_results(str(tmp_path))

    return function


def _record(key, values):
    record = tfma.proto.metrics_for_slice_pb2.MetricsForSlice()
    for name, value in key:
        record.slice_key.single_slice_keys.add(column=name, bytes_value=value.encode())
    for (metric, model, task), value in values.items():
        entry = record.metric_keys_and_values.add()
        entry.key.name, entry.key.model_name, entry.key.output_name = metric, model, task
        if isinstance(value, str):
            entry.value.bytes_value = value.encode()
        elif isinstance(value, tuple):
            entry.value.double_value.value = value[0]
            entry.confidence_interval.lower_bound.double_value.value = value[1]
            entry.confidence_interval.upper_bound.double_value.value = value[2]
        else:
            entry.value.double_value.value = value
    return record


def _counts(model="candidate", task="ctr", examples=10, positives=4, undefined=0):
    return {
        ("example_count", model, task): examples,
        ("positives", model, task): positives,
        ("undefined_predictions", model, task): undefined,
    }


FULL = {
    **_counts(), **_counts("baseline"),
    ("auc", "candidate", "ctr"): (0.75, 0.7, 0.8), ("auc", "baseline", "ctr"): 0.7,
    ("binary_crossentropy", "candidate", "ctr"): 0.5, ("calibration", "candidate", "ctr"): 1.1,
    ("relaimp", "candidate vs baseline", "ctr"): (25.0, -1.0, 60.0),
    ("auc_difference_reason", "candidate vs baseline", "ctr"): "too few rows",
}  # fmt: skip


def test_values_come_with_their_intervals_and_reasons(load):
    found = load({(): FULL})
    assert found.metric("candidate", "ctr") == SliceMetrics(
        "candidate", "ctr", (), 0.75, 0.7, 0.8, 0.5, 1.1, 4, 10, 0, None
    )
    baseline = found.metric("baseline", "ctr")
    assert (baseline.auc, baseline.auc_lower, baseline.log_loss) == (0.7, None, None)
    assert found.comparisons == [
        Comparison("baseline", "ctr", (), 25.0, -1.0, 60.0, None, None, None, None, "too few rows")
    ]
    assert (found.confidence, found.user_key, found.notices) == (0.9, None, ())


def test_bounds_at_every_level_are_read_with_the_estimate(load):
    curve = ConfidenceCurve.of_intervals(25.0, lambda confidence: (25 - confidence, 30.0))
    texts = {
        ("auc_confidence_curve", "candidate", "ctr"): curve.to_text(),
        ("relaimp_confidence_curve", "candidate vs baseline", "ctr"): curve.to_text(),
    }
    found = load({(): FULL | texts})
    assert found.metric("candidate", "ctr").auc_curve.p_value(24.5, "lower") == pytest.approx(
        curve.p_value(24.5, "lower"), rel=1e-6
    )
    assert found.metric("baseline", "ctr").auc_curve is None
    assert found.comparisons[0].relaimp_curve.bounds == pytest.approx(curve.bounds)
    assert found.comparisons[0].auc_difference_curve is None


def test_any_metric_is_read_by_its_name(load):
    versus = "candidate vs baseline"
    records = {(): FULL | {
        ("gauc", "candidate", "ctr"): (0.61, 0.6, 0.62), ("gauc_left_out", "candidate", "ctr"): 7,
        ("gauc_difference", versus, "ctr"): (0.01, -0.01, 0.03),
        ("gauc_relaimp", versus, "ctr"): (9.0, -9.0, 27.0),
        ("binary_crossentropy_difference", versus, "ctr"): (-0.1, -0.2, 0.0),
        ("ndcg@10_reason", "candidate", "ctr"): "no requests with a positive (3 are left out)",
    }}  # fmt: skip
    found = load(records, metrics=("gauc", "ndcg@10"))
    assert set(found.measured) == {"auc", "log_loss", "calibration", "gauc", "ndcg@10"}
    metric = found.metric("candidate", "ctr")
    assert metric.estimate("gauc") == Estimate(0.61, 0.6, 0.62) and metric.left_out == {"gauc": 7}
    assert metric.estimate("log_loss").value == 0.5 == metric.log_loss
    assert metric.estimate("auc")[:3] == (0.75, 0.7, 0.8)
    assert metric.estimate("ndcg@10").reason == "no requests with a positive (3 are left out)"
    assert "name 'mrr' in evaluation.metrics" in metric.estimate("mrr").reason
    compared = found.comparison("baseline", "ctr")
    assert compared.difference("gauc") == Estimate(0.01, -0.01, 0.03)
    assert compared.difference("log_loss")[:3] == (-0.1, -0.2, 0.0)
    assert compared.difference("auc").reason == "too few rows"
    assert compared.relative_gain("gauc").value == 9.0
    assert compared.relative_gain("auc")[:3] == (25.0, -1.0, 60.0)


def test_slices_stand_in_the_order_of_the_settings_whatever_the_files(load):
    keys = [
        (("city", "b"), ("age", "9")), (("age", "10"),), (), (("age", "9"),), (("city", "a"),),
        (("city", "(missing)"),), (("age", "x"),),
    ]  # fmt: skip
    crosses = (("age",), ("city",), ("city", "age"))
    found = load(dict.fromkeys(keys, FULL), crosses=crosses, order={"age": ["x"]})
    assert found.slices == (
        (), (("age", "x"),), (("age", "9"),), (("age", "10"),), (("city", "a"),),
        (("city", "(missing)"),), (("city", "b"), ("age", "9")),
    )  # fmt: skip


def test_values_that_are_hard_to_write_are_told_apart(load):
    keys = [(("city", value),) for value in ODD_VALUES]
    found = load(dict.fromkeys(keys, FULL))
    assert set(found.slices) == set(keys) and len(found.slices) == len(keys)
    assert len({metric.slice for metric in found.metrics}) == len(keys)
    for key in keys:
        assert found.metric("candidate", "ctr", key).key == key


def test_a_task_in_which_a_model_is_not_compared_has_no_numbers_of_it(load):
    records = {(): FULL | _counts(task="cvr") | _counts("baseline", "cvr", undefined=10)}
    reasons = {"baseline": {"cvr": "was trained on other rows"}}
    found = load(records, tasks=("ctr", "cvr"), incomparable=reasons)
    assert found.incomparable == reasons
    assert found.metric("baseline", "cvr") is None and found.metric("baseline", "ctr") is not None
    assert found.comparison("baseline", "cvr") is None
    assert found.comparison("baseline", "ctr").relaimp == 25.0


def test_a_comparison_that_was_not_measured_is_one_without_values(load):
    found = load({(): _counts() | _counts("baseline")})
    (compared,) = found.comparisons
    assert compared == Comparison("baseline", "ctr", (), *[None] * 6)


def test_what_was_not_measured_is_none(load):
    found = load({(): FULL})
    assert found.metric("anchor", "ctr") is None
    assert found.metric("candidate", "ctr", (("city", "a"),)) is None
    assert found.comparison("reference", "ctr") is None


def test_an_evaluation_without_numbers_or_that_was_never_finished_is_no_evaluation(load, tmp_path):
    with pytest.raises(EvaluationResultError, match="holds no metrics; run it again"):
        load({})
    with pytest.raises(EvaluationResultError, match=r"slice_evaluation\.json does not exist"):
        load_results(str(tmp_path / "nowhere"))


def test_slices_occur_once_each():
    metrics = [
        SliceMetrics(model, "ctr", key, None, None, None, None, None, 0, 1)
        for key in ((), (("a", "b"),))
        for model in ("candidate", "baseline")
    ]
    results = SliceResults(("candidate", "baseline"), ("ctr",), 0.95, None, metrics, [])
    assert results.slices == ((), (("a", "b"),))
