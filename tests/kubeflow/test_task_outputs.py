"""Task outputs against the messages that the launcher parses them into."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.task_outputs import ExecutorInputError, TaskOutputs, local_path


@pytest.fixture
def executor_input(tmp_path):
    """Executor input with two artifacts and a parameter, as the launcher writes it."""
    return {
        "inputs": {"parameterValues": {"span": ""}},
        "outputs": {
            "artifacts": {
                "summary": {
                    "artifacts": [
                        {
                            "name": "summary",
                            "uri": "minio://mlpipeline/v2/artifacts/run/trainer/summary",
                            "type": {"schemaTitle": "system.Markdown"},
                            "customPath": str(tmp_path / "deep" / "summary"),
                        }
                    ]
                },
                "metrics": {
                    "artifacts": [
                        {
                            "uri": "gs://bucket/metrics",
                            "type": {"schemaTitle": "system.ClassificationMetrics"},
                            "metadata": {"display_name": "metrics"},
                        }
                    ]
                },
            },
            "parameters": {"blessed": {"outputFile": str(tmp_path / "parameters" / "blessed")}},
            "outputFile": str(tmp_path / "folder" / "output_metadata.json"),
        },
    }


def written(executor_input):
    """The executor output as the launcher reads it: strictly, into its own message."""
    text = Path(executor_input["outputs"]["outputFile"]).read_text(encoding="utf-8")
    message = json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput())
    return json_format.MessageToDict(message), text


def test_parameters_and_metadata_reach_the_launcher(executor_input):
    outputs = TaskOutputs.read(json.dumps(executor_input))
    outputs.set_metadata("metrics", {"auc/click": np.float32(0.5), "rows": 3, "ok": True})
    outputs.set_metadata("metrics", {"list": [{"a": 1.5}], "text": "x"})
    outputs.set_parameter("blessed", True)
    outputs.write()
    message, _ = written(executor_input)
    assert message["parameterValues"] == {"blessed": True}
    (artifact,) = message["artifacts"]["metrics"]["artifacts"]
    assert artifact["uri"] == "gs://bucket/metrics"
    assert artifact["metadata"] == {
        "display_name": "metrics", "auc/click": 0.5, "rows": 3.0, "ok": True,
        "list": [{"a": 1.5}], "text": "x",
    }  # fmt: skip
    file = Path(executor_input["outputs"]["parameters"]["blessed"]["outputFile"])
    assert file.read_text() == "true"


def test_no_number_that_is_not_finite_gets_through(executor_input):
    outputs = TaskOutputs.read(json.dumps(executor_input))
    outputs.set_metadata(
        "metrics",
        {
            "auc": math.nan,
            "curve": {"list": [{"threshold": math.inf, "recall": 0.0}, {"threshold": 0.5}]},
            "values": np.array([1.0, -math.inf, 3.0]),
            "nothing": None,
        },
    )
    outputs.set_metadata("metrics", {"auc/click": np.float64("nan"), "kept": 2.0})
    outputs.set_parameter("blessed", False)
    outputs.write()
    message, text = written(executor_input)
    assert "NaN" not in text
    assert "Infinity" not in text
    (artifact,) = message["artifacts"]["metrics"]["artifacts"]
    assert artifact["metadata"] == {
        "display_name": "metrics",
        "curve": {"list": [{"recall": 0.0}, {"threshold": 0.5}]},
        "values": [1.0, 3.0],
        "kept": 2.0,
        "undefined": ["auc", "curve.list[0].threshold", "values[1]", "auc/click"],
    }


def test_a_parameter_that_is_not_finite_is_refused(executor_input):
    outputs = TaskOutputs(executor_input)
    for value in (math.nan, None):
        with pytest.raises(ValueError, match="blessed is no finite value"):
            outputs.set_parameter("blessed", value)


def test_paths_are_those_of_the_launcher(executor_input, tmp_path):
    artifacts = executor_input["outputs"]["artifacts"]
    path = TaskOutputs(executor_input).path("summary")
    assert path == tmp_path / "deep" / "summary"
    assert path.parent.is_dir()
    summary = artifacts["summary"]["artifacts"][0]
    del summary["customPath"]
    assert str(local_path("s", summary)) == "/minio/mlpipeline/v2/artifacts/run/trainer/summary"
    assert str(local_path("m", {"uri": "gs://bucket/metrics"})) == "/gcs/bucket/metrics"
    assert str(local_path("m", {"uri": "s3://bucket/metrics"})) == "/s3/bucket/metrics"


def test_a_uri_without_a_local_path_is_refused(executor_input):
    executor_input["outputs"]["artifacts"]["metrics"]["artifacts"][0]["uri"] = "ftp://a/b"
    with pytest.raises(ExecutorInputError, match=r"'metrics' has no local path.*'ftp://a/b'"):
        TaskOutputs(executor_input)


def test_a_parameter_without_a_value_is_named(executor_input):
    outputs = TaskOutputs(executor_input)
    with pytest.raises(ValueError, match="without a value: blessed"):
        outputs.write()
    assert not Path(executor_input["outputs"]["outputFile"]).exists()


def test_names_that_the_task_does_not_declare_are_refused(executor_input):
    outputs = TaskOutputs(executor_input)
    assert outputs.has("summary")
    assert outputs.has("blessed")
    assert not outputs.has("report")
    assert outputs.names == ["summary", "metrics"]
    with pytest.raises(KeyError, match="Known: summary, metrics"):
        outputs.path("report")
    with pytest.raises(KeyError, match="Known: summary, metrics"):
        outputs.set_metadata("report", {})
    with pytest.raises(KeyError, match="Known: blessed"):
        outputs.set_parameter("summary", 1)


def test_a_value_without_a_form_in_json_is_refused(executor_input):
    with pytest.raises(TypeError, match="when: object"):
        TaskOutputs(executor_input).set_metadata("metrics", {"when": object()})


@pytest.mark.parametrize(
    ("text", "message"),
    [("{{$}}", "expected the JSON"), ("[]", "JSON object"), ('{"inputs": {}}', "outputFile")],
)
def test_what_is_no_executor_input_is_refused(text, message):
    with pytest.raises(ExecutorInputError, match=message):
        TaskOutputs.read(text)


def test_metrics_hold_finite_numbers_only(executor_input):
    """The launcher after ML-Metadata refuses a task for any other value."""
    (artifact,) = executor_input["outputs"]["artifacts"]["metrics"]["artifacts"]
    artifact["type"]["schemaTitle"] = "system.Metrics"
    outputs = TaskOutputs(executor_input)
    outputs.set_metadata(
        "metrics", {"auc": np.float32(0.5), "rows": 3, "no": None, "nan": math.nan}
    )
    for value in ("text", True, ["list"]):
        with pytest.raises(TypeError, match="x: system.Metrics holds numbers only. Received"):
            outputs.set_metadata("metrics", {"x": value})
    outputs.set_parameter("blessed", True)
    outputs.write()
    (artifact,) = written(executor_input)[0]["artifacts"]["metrics"]["artifacts"]
    assert artifact["metadata"] == {"auc": 0.5, "rows": 3.0}
