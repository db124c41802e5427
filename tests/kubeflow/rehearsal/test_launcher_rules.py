"""What a task hands back is what both launchers take, and a rehearsal refuses anything else."""

import json

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.rehearsal.package import Container
from mtlx.kubeflow.rehearsal.task_inputs import executor_input
from mtlx.kubeflow.rehearsal.task_process import AttemptFailed, Processes, run_attempt
from mtlx.kubeflow.task_outputs import TaskOutputs

KINDS = {"metrics": "system.Metrics", "summary": "system.Markdown", "page": "system.HTML"}

#: Writes what it is told: files by artifact, metadata by artifact.
SCRIPT = """
import json, pathlib, sys
outputs, files, metadata = json.loads(sys.argv[1])["outputs"], *map(json.loads, sys.argv[2:])
artifacts = {}
for name, listed in outputs["artifacts"].items():
    if name in files:
        path = pathlib.Path(listed["artifacts"][0]["customPath"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    artifacts[name] = {"artifacts": [{"name": name, "metadata": metadata.get(name, {})}]}
pathlib.Path(outputs["outputFile"]).write_text(json.dumps({"artifacts": artifacts}))
"""


@pytest.fixture
def attempt(tmp_path):
    """Runs a task that declares one artifact of each kind and leaves what is given."""
    component = pipeline_spec_pb2.ComponentSpec()
    for name, title in KINDS.items():
        component.output_definitions.artifacts[name].artifact_type.schema_title = title

    def run(files, metadata):
        given = executor_input(component, {}, tmp_path / "attempt")
        command = ["python", "-c", SCRIPT, "{{$}}", json.dumps(files), json.dumps(metadata)]
        return run_attempt(
            component, Container(command=command), given, tmp_path / "attempt", {}, Processes(),
            lambda line: None,
        )  # fmt: skip

    return run


def test_numbers_and_files_are_taken(attempt):
    metadata = {"metrics": {"auc/" + "x" * 124: 0.5, "rows": 3}, "summary": {"tfx_uri/a": "b"}}
    output = attempt(["metrics", "summary", "page"], metadata).output
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["rows"] == 3


def test_a_file_that_the_page_would_draw_must_be_there(attempt):
    with pytest.raises(AttemptFailed, match="output artifact 'page': the task left no file"):
        attempt(["summary"], {})  # that of the metrics is none to draw


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        ("metrics", "tfx_state", "complete", 'a metric is a number. Received: "complete"'),
        ("metrics", "ok", True, "a metric is a number. Received: true"),
        ("metrics", "undefined", ["a"], "a metric is a number"),
        ("metrics", "a" * 129, 1.0, "its name has 129 characters, more than 128"),
        ("summary", "ä" * 128, "text", "its name has 256 bytes, more than 255"),
        ("summary", "nothing", None, "is null"),
    ],
    ids=["text", "boolean", "list", "long metric", "long property", "null"],
)
def test_what_a_launcher_refuses_fails_the_task(attempt, name, key, value, message):
    with pytest.raises(AttemptFailed, match="the launcher can't take its outputs") as caught:
        attempt(list(KINDS), {name: {key: value}})
    assert message in str(caught.value)
    assert str(caught.value).count("\n") == 1


def test_the_rules_speak_of_the_types_that_tasks_are_given(tmp_path):
    """The schema's title reaches task and rules by the same key."""
    component = pipeline_spec_pb2.ComponentSpec()
    component.output_definitions.artifacts["metrics"].artifact_type.schema_title = "system.Metrics"
    given = executor_input(component, {}, tmp_path)
    assert TaskOutputs(given).kind("metrics") == "system.Metrics"
    (artifact,) = given["outputs"]["artifacts"]["metrics"]["artifacts"]
    assert artifact["type"] == json_format.MessageToDict(
        component.output_definitions.artifacts["metrics"].artifact_type
    )
