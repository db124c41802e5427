"""Each part of a report from its artifact, and what is said where there is none."""

import json

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import executor
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from mtlx.components.relaimp_gate.verdict import Check, Verdict
from mtlx.components.report.sources import Sources


@pytest.fixture
def sources(tmp_path):
    """Sources on artifacts whose folders lie in `tmp_path`, by the component's input names."""

    def function(**kinds):
        inputs = {}
        for name, kind in kinds.items():
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            artifact = kind()
            artifact.uri = str(folder)
            inputs[name] = [artifact]
        return Sources(inputs)

    return function


def _blessed(sources, value):
    sources._inputs["blessing"][0].set_int_custom_property("blessed", value)
    return sources


def test_a_run_without_anything_has_nothing_and_says_nothing():
    for inputs in ({}, {"blessing": [], "evaluation": [], "examples": []}):
        empty = Sources(inputs)
        assert empty.verdict() is empty.results() is empty.anomalies() is empty.ingestion() is None
        assert empty.span() is None and empty.trainings() == empty.statistics() == ()
        assert empty.rocs() == empty.best_possible(None) == {}
        assert empty.notices == []


def test_two_artifacts_where_one_belongs_are_an_error():
    twice = [standard_artifacts.ModelBlessing(), standard_artifacts.ModelBlessing()]
    with pytest.raises(ValueError, match="expected list length of one but got 2"):
        Sources({"blessing": twice}).verdict()


def test_the_gates_verdict_is_read_whole(sources, tmp_path):
    found = sources(blessing=standard_artifacts.ModelBlessing)
    verdict = Verdict(False, "reference", [Check("auc", "click", "overall", False, "too low")])
    verdict.save(str(tmp_path / "blessing"))
    assert found.verdict() == verdict and found.notices == []


@pytest.mark.parametrize(("value", "blessed"), [(1, True), (0, False)])
def test_a_stock_blessing_has_a_decision_and_no_reasons(sources, value, blessed):
    found = _blessed(sources(blessing=standard_artifacts.ModelBlessing), value)
    assert found.verdict() == Verdict(blessed, None, [])
    (notice,) = found.notices
    assert "not one of RelaImpGate's" in notice


def test_an_evaluation_of_another_component_leaves_a_notice(sources):
    found = sources(evaluation=standard_artifacts.ModelEvaluation)
    assert found.results() is None and found.rocs() == {}
    (notice,) = found.notices
    assert notice.startswith("There is no slice evaluation to show: ")
    assert "slice_evaluation.json does not exist" in notice


def test_best_possible_values_are_by_task_and_slice_and_may_be_undefined(tmp_path):
    path = tmp_path / "best.json"
    path.write_text(json.dumps({"click": {"overall": 0.91, "domain=男装": None}}))
    found = Sources({})
    assert found.best_possible(str(path)) == {"click": {"overall": 0.91, "domain=男装": None}}
    # Of a task whose labels are known later other spans are judged.
    late = {"tasks": {"view": {"matures_after": 1}, "click": {"after": "view"}}}
    assert found.best_possible(str(path), late) == {}
    assert found.notices == []


@pytest.mark.parametrize(
    ("place", "without"),
    [
        ({"kind": "numeric", "column": "position", "serve_as": 1}, True),
        ({"kind": "numeric", "column": "position", "serve_as": 0}, True),
        ({"kind": "categorical", "column": "position", "dropped": True}, True),
        ({"kind": "numeric", "column": "position", "serve_as": None, "dropped": False}, False),
        ({"kind": "numeric"}, True),
        ({"kind": "sequence", "of": ["item"], "columns": ["position"]}, False),
    ],
)
def test_the_best_possible_is_that_of_what_a_served_model_is_given(tmp_path, place, without):
    path = tmp_path / "best.json"
    values = {"click": {"overall": 0.9}, "buy": {"overall": 0.8}}
    path.write_text(json.dumps({**values, "click without position": {"overall": 0.7}}))
    found = Sources({})
    best = found.best_possible(str(path), {"features": {"place": place, "item": {}}})
    assert best == ({**values, "click": {"overall": 0.7}} if without else values)
    assert found.best_without == (("position",) if without else ())
    # Where the features are unknown nothing is said of them.
    assert Sources({}).best_possible(str(path), {}) == values


@pytest.mark.parametrize(
    ("name", "span", "file"),
    [
        ("day={YYYY}-{MM}-{DD}.json", 19_725, "day=2024-01-03.json"),
        ("day={SPAN:3}.json", 7, "day=007.json"),
        ("day={SPAN}.json", 12, "day=12.json"),
        ("best.json", 12, "best.json"),
    ],
)
def test_best_possible_values_are_those_of_the_span_that_was_read(
    sources, tmp_path, name, span, file
):
    (tmp_path / file).write_text(json.dumps({"click": {"overall": 0.91}}))
    found = sources(examples=standard_artifacts.Examples)
    path = str(tmp_path / name)
    if name != "best.json":
        assert found.best_possible(path) == {} and "does not exist" in found.notices[0]
    found._inputs["examples"][0].set_int_custom_property("span", span)
    assert found.best_possible(path) == {"click": {"overall": 0.91}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the file does not exist"),
        ("", "it should be {task: {slice: AUC}}: Invalid JSON"),
        ("[1]", "it should be {task: {slice: AUC}}: Input should be an object"),
        ('{"click": {"overall": "high"}}', "it should be {task: {slice: AUC}}: Input should be"),
    ],
)
def test_a_best_possible_file_that_cannot_be_used_is_named_with_its_setting(
    tmp_path, content, reason
):
    path = tmp_path / "best.json"
    if content is not None:
        path.write_text(content)
    found = Sources({})
    assert found.best_possible(str(path)) == {}
    (notice,) = found.notices
    assert f"(report.best_possible: {path}) is not shown: {reason}" in notice


def test_the_candidates_record_comes_first_and_a_missing_one_is_named(sources, tmp_path):
    kinds = dict.fromkeys(("reference_model_run", "model_run"), standard_artifacts.ModelRun)
    found = sources(**kinds)
    for name in kinds:
        (tmp_path / name / "history.json").write_text(json.dumps({"of": name}))
    assert [(one.model, one.history["of"]) for one in found.trainings()] == [
        ("candidate", "model_run"), ("reference", "reference_model_run"),
    ]  # fmt: skip
    (tmp_path / "model_run" / "history.json").unlink()
    assert [one.model for one in found.trainings()] == ["reference"]
    assert found.notices == ["The candidate's trainer left no history.json."]


def _with_statistics(sources, tmp_path, rates):
    found = sources(statistics=standard_artifacts.ExampleStatistics)
    artifact = found._inputs["statistics"][0]
    artifact.split_names = json.dumps(["train", "test"])
    if rates is not None:
        name = executor.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME
        artifact.set_json_value_custom_property(name, json_utils.dumps(rates))
    for split, rows in (("train", 8), ("test", 2)):
        folder = tmp_path / "statistics" / f"Split-{split}"
        folder.mkdir()
        dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=rows)
        data = statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset])
        (folder / "FeatureStats.pb").write_bytes(data.SerializeToString())
    return found


def test_statistics_of_all_splits_are_read_in_their_order(sources, tmp_path):
    found = _with_statistics(sources, tmp_path, None)
    assert [(one.split, one.rows) for one in found.statistics()] == [("train", 8), ("test", 2)]
    assert found.notices == []


def test_a_sample_is_told_with_its_share_and_whole_splits_are_not(sources, tmp_path):
    found = _with_statistics(sources, tmp_path, {"train": 0.0125, "test": 1.0})
    found.statistics()
    assert found.notices == [
        "The statistics of split train describe a sample of 1.250% of its rows."
    ]


def test_the_span_is_that_of_the_examples(sources):
    found = sources(examples=standard_artifacts.Examples)
    assert found.span() is None and found.ingestion() is None
    found._inputs["examples"][0].set_int_custom_property("span", 0)
    assert found.span() == 0


def test_what_was_read_and_refused_is_that_of_the_ingestion(sources, tmp_path):
    found = sources(examples=standard_artifacts.Examples)
    folder = tmp_path / "examples" / "ingestion"
    folder.mkdir()
    (folder / "summary.json").write_text('{"rows": {"train": 3}}')
    assert found.ingestion() == {"rows": {"train": 3}}


def test_a_validator_that_found_nothing_is_told_from_none_that_ran(sources, tmp_path):
    found = sources(anomalies=standard_artifacts.ExampleAnomalies)
    found._inputs["anomalies"][0].split_names = json.dumps(["train"])
    (tmp_path / "anomalies" / "Split-train").mkdir()
    (tmp_path / "anomalies" / "Split-train" / "SchemaDiff.pb").write_bytes(b"")
    assert found.anomalies() == ()
    assert Sources({}).anomalies() is None
