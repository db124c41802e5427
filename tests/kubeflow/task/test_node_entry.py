"""The entry point's duties, with a tiny pipeline and a real ML-Metadata store."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from tfx.dsl.compiler import compiler
from tfx.dsl.component.experimental import annotations, decorators
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.types import standard_artifacts

from mtlx.kubeflow.task import last_word, metadata_connection, node_entry
from mtlx.kubeflow.task.failure_note import failures
from mtlx.kubeflow.task.metadata_connection import connection_of
from tests.forked_process import ForkedProcess

ROOT = Path(__file__).parents[3]


@decorators.component
def Produce(folder: annotations.Parameter[str], text: annotations.OutputArtifact[standard_artifacts.String]):  # fmt: skip
    marks = Path(folder)
    if (marks / "leaves").exists():
        raise SystemExit(json.loads((marks / "leaves").read_text()))
    if (marks / "broken").exists():
        raise ValueError("the producer is broken")
    if (marks / "away").exists():
        raise ConnectionResetError("the volume is away")
    with open(marks / "runs", "a") as file:
        file.write("produce\n")
    Path(text.uri).write_text("produced")


@decorators.component
def Consume(folder: annotations.Parameter[str], text: annotations.InputArtifact[standard_artifacts.String]):  # fmt: skip
    with open(Path(folder) / "runs", "a") as file:
        file.write(Path(text.uri).read_text() + " consume\n")


class Task:
    """A cluster in a folder: compiled pipeline, store, and the launcher's part of a task."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        produce = Produce(folder=str(folder))
        consume = Consume(folder=str(folder), text=produce.outputs["text"])
        content = (
            compiler.Compiler()
            .compile(
                tfx_pipeline.Pipeline(
                    pipeline_name="tiny",
                    pipeline_root=str(folder / "root"),
                    components=[produce, consume],
                    enable_cache=True,
                )
            )
            .SerializeToString(deterministic=True)
        )
        self.ir_path = folder / "pipeline.pb"
        self.ir_path.write_bytes(content)
        self.digest = hashlib.sha256(content).hexdigest()
        for name in list(os.environ):
            if name.startswith("TFX_MLMD_"):
                monkeypatch.delenv(name)
        self.environment = {"TFX_MLMD_SQLITE": str(folder / "metadata.sqlite")}
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def arguments(self, node, run_id, **changed):
        place = self.folder / f"{node}-{run_id}"
        executor_input = {
            "outputs": {
                "artifacts": {
                    "summary": {
                        "artifacts": [
                            {
                                "name": "summary",
                                "uri": "minio://x/summary",
                                "type": {"schemaTitle": "system.Markdown"},
                                "customPath": str(place / "summary"),
                            }
                        ]
                    }
                },
                "outputFile": str(place / "output_metadata.json"),
            }
        }
        values = {
            "node": node, "ir_path": self.ir_path, "ir_digest": self.digest, "run_id": run_id,
            "run_name": "", "data_path": "",
            "executor_input": json.dumps(executor_input), **changed,
        }  # fmt: skip
        return [part for key, value in values.items() for part in (f"--{key}", str(value))]

    def run(self, node, run_id="run-1", **changed):
        return node_entry.main(self.arguments(node, run_id, **changed))

    def output(self, node, run_id="run-1"):
        text = (self.folder / f"{node}-{run_id}" / "output_metadata.json").read_text()
        return json.loads(text)["artifacts"]["summary"]["artifacts"][0]["metadata"]

    @property
    def runs(self):
        path = self.folder / "runs"
        return path.read_text().splitlines() if path.exists() else []

    def failures(self, run_id):
        return failures(metadata_store.MetadataStore(connection_of(self.environment)), run_id)

    def executions(self):
        return metadata_store.MetadataStore(connection_of(self.environment)).get_executions()


@pytest.fixture
def task(tmp_path, monkeypatch):
    return Task(tmp_path, monkeypatch)


def test_nodes_run_and_say_what_they_left(task, capfd):
    assert task.run("Produce") == 0
    assert "Produce: complete in" in capfd.readouterr().out
    assert task.run("Consume") == 0
    assert task.runs == ["produce", "produced consume"]
    metadata = task.output("Produce")
    assert metadata["tfx_state"] == "complete"
    assert Path(metadata["tfx_uri/text"]).read_text() == "produced"
    assert "Produce" in (task.folder / "Produce-run-1" / "summary").read_text()


def test_inputs_that_do_not_resolve_fail_the_task(task, capfd):
    assert task.run("Consume") == 1
    # The words that docs/kubeflow.md explains.
    words = "its execution ended as FAILED; the inputs may be missing"
    assert capfd.readouterr().err.strip().splitlines()[-1] == f"Consume: Consume: {words}"
    assert words in (ROOT / "docs/kubeflow.md").read_text(encoding="utf-8")
    assert task.runs == []
    assert not (task.folder / "Consume-run-1" / "output_metadata.json").exists()


def test_a_failing_node_fails_the_task_and_its_retry_runs_again(task, capfd):
    broken = task.folder / "broken"
    broken.touch()
    assert task.run("Produce") == 1
    assert capfd.readouterr().err.strip().splitlines()[-1] == "Produce: the producer is broken"
    # For the task that tells of the run's end, which may run on another machine.
    assert task.failures("run-1") == {"Produce": "the producer is broken"}
    assert task.failures("run-2") == {}
    broken.unlink()
    assert task.run("Produce") == 0
    assert task.runs == ["produce"]


@pytest.mark.parametrize(
    ("left_with", "code"), [(0, 1), (None, 1), ("a message", 1), (256, 1), (7, 7), (143, 143)]
)
def test_a_node_that_leaves_the_process_has_failed(task, capfd, left_with, code):
    """A code of SIGTERM (143) is kept; 0 would end the task as if its outputs were there."""
    (task.folder / "leaves").write_text(json.dumps(left_with))
    assert task.run("Produce") == code
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last == f"Produce: left by SystemExit({left_with!r})"
    assert not (task.folder / "Produce-run-1" / "output_metadata.json").exists()
    (task.folder / "leaves").unlink()
    assert task.run("Produce") == 0
    assert task.runs == ["produce"]


def test_after_a_cache_hit_the_uris_are_those_of_the_store(task):
    assert task.run("Produce", "run-1") == 0
    assert task.run("Produce", "run-2") == 0
    assert task.runs == ["produce"]
    first, second = task.output("Produce", "run-1"), task.output("Produce", "run-2")
    assert second["tfx_state"] == "cached"
    assert second["tfx_uri/text"] == first["tfx_uri/text"]
    assert Path(second["tfx_uri/text"]).read_text() == "produced"


def test_a_retry_with_the_same_run_id_is_no_second_execution(task):
    assert task.run("Produce") == 0
    (execution,) = task.executions()
    assert task.run("Produce") == 0
    assert [found.id for found in task.executions()] == [execution.id]
    assert task.runs == ["produce"]
    assert task.output("Produce")["tfx_state"] == "complete"


def test_the_compiled_pipeline_is_verified_before_anything_is_written(task, capfd):
    assert task.run("Produce", ir_digest="0" * 64) == 2
    assert f"its SHA-256 is {task.digest}, but the package" in capfd.readouterr().err
    assert task.run("Produce", ir_path=task.folder / "absent.pb") == 2
    assert "absent.pb: can't be read" in capfd.readouterr().err
    other = task.folder / "other.pb"
    other.write_bytes(b"no pipeline")
    digest = hashlib.sha256(b"no pipeline").hexdigest()
    assert task.run("Produce", ir_path=other, ir_digest=digest) == 2
    assert "no compiled TFX pipeline" in capfd.readouterr().err
    assert not (task.folder / "metadata.sqlite").exists()


def test_wrong_arguments_and_environments_are_told_from_failures(task, capfd, monkeypatch):
    assert task.run("Produce", executor_input="{{$}}") == 2
    assert "expected the JSON" in capfd.readouterr().err
    assert task.run("Produce", data_path="/elsewhere") == 2
    assert "--data_path, --span: this pipeline does not leave data_path" in capfd.readouterr().err
    assert node_entry.main(["--node", "Produce"]) == 2
    assert "missing --ir_path, --ir_digest" in capfd.readouterr().err
    monkeypatch.setenv("TFX_MLMD_HOST", "both")
    assert task.run("Produce") == 2
    assert "set exactly one of TFX_MLMD_HOST" in capfd.readouterr().err
    assert task.runs == []


def test_an_unknown_node_is_named(task, capfd):
    assert task.run("Produce2") == 1
    assert "no node 'Produce2' in this pipeline. Known: Produce, Consume" in capfd.readouterr().err


@pytest.mark.parametrize("code", [0, 1])
def test_destructors_can_not_change_the_exit_code(code):
    script = (
        "import atexit, os\n"
        "from mtlx.kubeflow.task.node_entry import leave\n"
        "atexit.register(os.abort)\n"
        "print('written', end='')\n"
        f"leave({code})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "written")


def test_health_check_runs_a_node_in_a_process_of_its_own(tmp_path):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TFX_MLMD_")
    }
    process = ForkedProcess(
        [sys.executable, "-m", "mtlx.kubeflow.task.node_entry", "--check"],
        cwd=tmp_path, env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert said.strip() == "imports, ML-Metadata, a node and its cache: as they should be"
    assert not list(tmp_path.iterdir())


class Anew(BaseException):
    """The program would start anew."""


def _anew(variables):
    raise Anew(variables)


def test_what_passes_is_tried_anew_and_the_page_says_so(task, capfd, monkeypatch):
    """As `--retries` says; a pod's reason is noted when it ends with it."""
    (task.folder / "away").touch()
    arguments = task.arguments("Produce", "run-1", retries=1, retry_seconds=0)
    with pytest.raises(Anew) as started:
        node_entry.main(arguments, _anew)
    assert "Produce: attempt 1 of 2 failed by what may pass" in capfd.readouterr().out
    assert task.failures("run-1") == {}
    (variables,) = started.value.args
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert node_entry.main(arguments, _anew) == 1
    assert task.failures("run-1") == {"Produce": "the volume is away"}
    (task.folder / "away").unlink()
    assert node_entry.main(arguments, _anew) == 0
    summary = (task.folder / "Produce-run-1" / "summary").read_text()
    # Of the pod that failed for good, and of this one's first attempt.
    assert "1. the volume is away\n2. ConnectionResetError: the volume is away" in summary


def test_a_store_that_does_not_answer_is_tried_anew(task, monkeypatch):
    monkeypatch.delenv("TFX_MLMD_SQLITE")
    monkeypatch.setenv("TFX_MLMD_HOST", "127.0.0.1")
    monkeypatch.setenv("TFX_MLMD_PORT", "1")
    monkeypatch.setattr(metadata_connection.wait_for_store, "__defaults__", (0.0,))
    arguments = task.arguments("Produce", "run-1", retries=1, retry_seconds=0)
    with pytest.raises(Anew, match="MetadataUnreachable: ML-Metadata, server 127.0.0.1:1"):
        node_entry.main(arguments, _anew)


def test_the_reason_is_the_pods_last_word(task, monkeypatch):
    """Argo shows it behind the exit code. Outside of a pod of a run the file is nobody's."""
    word = task.folder / "word"
    monkeypatch.setattr(last_word, "TERMINATION_LOG", word)
    monkeypatch.delenv("KFP_POD_NAME", raising=False)
    (task.folder / "broken").touch()
    assert task.run("Produce") == 1
    assert not word.exists()
    monkeypatch.setenv("KFP_POD_NAME", "produce-1")
    assert task.run("Produce") == 1
    assert word.read_text() == "the producer is broken"
    assert task.run("Produce", ir_digest="0" * 64) == 2
    assert "its SHA-256 is" in word.read_text()
    monkeypatch.setattr(last_word, "TERMINATION_LOG", task.folder)
    assert task.run("Produce") == 1
