"""Whole rehearsals of a small experiment: every task a process, a real metadata server.

The Trainer is started as it is for anybody; the other tasks' processes are forked from one that has
imported TensorFlow.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest
import tensorflow as tf
import yaml
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from mtlx.components.model_insight.insight_result import ModelInsights
from mtlx.components.skew_guard.skew_result import Skew
from mtlx.kubeflow import command_line
from mtlx.kubeflow.package.compiled_pipeline import read_compiled_pipeline
from mtlx.kubeflow.package.exit_task import TELL_END
from mtlx.kubeflow.rehearsal import rehearse as module
from mtlx.kubeflow.rehearsal import task_process
from mtlx.kubeflow.rehearsal.rehearse import RehearsalFailed, rehearse
from mtlx.kubeflow.task import run_end
from mtlx.kubeflow.task.failure_note import note_failure
from mtlx.kubeflow.task.metadata_connection import connection_of
from mtlx.kubeflow.task.run_end import tell_run_end
from mtlx.pipeline import command_line as pipeline_commands
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.history.list_runs import list_runs
from mtlx.pipeline.run import tell
from mtlx.pipeline.run.node_run import node_ids
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate
from tests.forked_process import ForkedProcess

#: Keeps what it is told in the experiment file's folder, one line of JSON per message.
KEEP = """
import json, os, sys
told = {name[5:]: text for name, text in os.environ.items() if name.startswith("MTLX_")}
with open(told["EXPERIMENT"] + ".jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps({**told, "text": sys.stdin.read()}) + "\\n")
"""
#: Nothing listens there.
WEBHOOK = "http://127.0.0.1:9/hook/T0KEN"
CONFIGS = Path(__file__).parents[3] / "configs"
FEATURES = ("user_id", "age", "gender", "item_id", "scenario")

#: The node whose first attempt is not forked.
STARTED = "Trainer"
#: Ids of the last processes of nodes; those that were forked don't tell in their arguments.
PROCESSES = {}


@pytest.fixture(scope="module", autouse=True)
def _forked_tasks():
    started = []

    def start(command, **options):
        node_id = command[command.index("--node") + 1]
        if node_id == STARTED and not started:
            started.append(node_id)
            process = subprocess.Popen(command, **options)
        else:
            del options["start_new_session"]
            process = ForkedProcess(command, **options)
        PROCESSES[node_id] = process.pid
        return process

    with pytest.MonkeyPatch.context() as patch:
        known = types.SimpleNamespace(Popen=start, PIPE=subprocess.PIPE)
        patch.setattr(task_process, "subprocess", known)
        yield


@pytest.fixture(scope="module")
def experiment_file(tmp_path_factory):
    """The default experiment with one task, five features and the smallest network."""
    folder = tmp_path_factory.mktemp("experiment")
    simulate(SimulationSettings.read({"rows": 1500, "seed": 1}), folder / "simulated")
    values = yaml.safe_load((CONFIGS / "default.yaml").read_text(encoding="utf-8"))
    values["data"]["path"] = str(folder / "simulated/logs/day=*/*.csv")
    values["features"] = {name: values["features"][name] for name in FEATURES}
    del values["target_item"]
    values["tasks"] = {"click": {"label": "click"}}
    values["model"] = {"network": "shared_bottom", "embedding_size": 4}
    values["training"] = {
        "epochs": 2,
        "batch_size": 256,
        "checkpoint_every_steps": 1,
        "precision": "float32",
    }
    values["evaluation"] = {"slices": [["domain"]], "user_key": "user_id"}
    threshold = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.2}
    values["gate"] = {"thresholds": [{**threshold, "bound": "point"}], "minimum_positives": 10}
    values["serving"] = {"push_to": str(folder / "not-here"), "check": {"calls": 3}}
    values["report"] = {"best_possible": str(folder / "simulated/best_auc.json")}
    values["notify"] = {"command": [sys.executable, "-c", KEEP], "webhook": WEBHOOK}
    values["kubeflow"] = {"defaults": {"retries": 1, "retry_seconds": 0}}
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def _told(experiment_file, run_id):
    """The messages about a run, in the order in which they were sent."""
    name = yaml.safe_load(experiment_file.read_text(encoding="utf-8"))["name"]
    path = experiment_file.parent / f"{name}.jsonl"
    messages = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [message for message in messages if message["RUN_ID"] == run_id]


@pytest.fixture(scope="module")
def killed_once(experiment_file, tmp_path_factory):
    """A rehearsal whose Trainer is killed after its first epoch."""
    out = tmp_path_factory.mktemp("out")
    killed, told = [], []

    def on_progress(name, line):
        if name == "trainer" and "epoch 1 of" in line and not killed:
            killed.append(PROCESSES["Trainer"])
            os.kill(killed[0], signal.SIGKILL)

    rehearsal = rehearse(
        read_experiment(experiment_file), out, {"run_name": "first"},
        on_task=told.append, on_progress=on_progress,
    )  # fmt: skip
    assert killed
    return out, rehearsal, told


def test_every_task_ran_and_the_model_was_pushed(killed_once):
    out, rehearsal, _ = killed_once
    states = {task.node_id: task.state for task in rehearsal.tasks}
    assert states.pop(TELL_END) == "finished"
    assert set(states.values()) == {"complete"}
    assert {"LogExampleGen", "Transform", "Trainer", "RelaImpGate", "Report", "Pusher"} <= set(
        states
    )
    result = rehearsal.result
    assert result.blessed
    assert Path(result.pushed_to).is_relative_to(out / "serving")
    served = tf.saved_model.load(result.pushed_to)
    assert set(served.signatures) >= {"serving_default"}
    assert "<html" in (result.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def held_back(killed_once, experiment_file, tmp_path_factory):
    """By the command: the same again, looked at from more sides, with more asked of the model.

    Returns the command's code, what it printed, and the result.
    """
    out, first, _ = killed_once
    served = tmp_path_factory.mktemp("logged") / "served"
    logs = experiment_file.parent / "simulated/logs/day=08/*.csv"
    score = ["score", str(experiment_file), "--version", first.result.pushed_to]
    score += ["--input", str(logs), "--output", str(served), "--with-features"]
    assert pipeline_commands.main(score) == 0
    versions = Path(first.result.pushed_to).parent
    skew = {"reader": "parquet", "scores": {"click": "score_click"}, "versions_in": str(versions)}
    arguments = ["rehearse", str(experiment_file), "--out", str(out)]
    for setting in (
        f"data.serving_path={json.dumps(f'{served}/*.parquet')}",
        f"skew={json.dumps(skew)}",
        "report.insight=[{name: importance, options: {rows: 100, repeats: 2}}, gates]",
        "gate.thresholds=[{rule: auc, minimum: 0.999}]",
    ):
        arguments += ["--set", setting]
    done, printed = [], io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(module, "rehearse", lambda *given: done.append(rehearse(*given)) or done[0])
        code = command_line.main(arguments)
    return code, printed.getvalue(), done[0].result


def test_what_was_served_is_looked_at_in_a_task_of_its_own(killed_once, held_back):
    _, first, _ = killed_once
    _, _, result = held_back
    states = {node.node_id: node.state for node in result.nodes}
    assert states["SkewGuard"] == states["Report"] == "complete"
    found = Skew.load(result.output("SkewGuard", "skew"))
    assert found.beyond == [] and found.scores[0].compared > 150
    assert list(found.scores[0].versions) == [Path(first.result.pushed_to).name]
    # The model is looked into in a task of its own as well.
    importance, gates = ModelInsights.load(result.output("ModelInsight", "insight")).insights
    assert set(importance.values["tasks"]) == {"click"} and importance.rows == 100
    assert gates.reason == "network 'shared_bottom' has no gates"
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "Gates:</strong> nothing to show; network" in page


def test_a_killed_trainer_is_retried_and_goes_on_from_its_checkpoint(killed_once):
    out, rehearsal, told = killed_once
    (trainer,) = [task for task in rehearsal.tasks if task.node_id == "Trainer"]
    assert trainer.attempts == 2
    retrying = [task for task in told if task.state == "retrying"]
    assert [task.node_id for task in retrying] == ["Trainer"]
    assert "killed by SIGKILL" in retrying[0].problem
    history = json.loads((Path(trainer.uris["model_run"][0]) / "history.json").read_text())
    assert history["resumed_from_step"] > 0
    assert not list((out / "artifacts" / "checkpoints").iterdir())


def test_the_end_is_told_once_and_a_webhook_that_is_not_there_fails_nothing(
    killed_once, experiment_file
):
    out, rehearsal, _ = killed_once
    result = rehearsal.result
    (told,) = _told(experiment_file, result.run_id)
    assert (told["EVENT"], told["OUTCOME"]) == ("pushed", "blessed, pushed")
    assert told["PUSHED_TO"] == result.pushed_to
    assert told["REPORT"] == f"{result.output('Report', 'report')}/report.html"
    lines = told["text"].splitlines()
    assert lines[0] == f"{told['EXPERIMENT']}: blessed, pushed (run {result.run_id})"
    assert "checks of the gate are met" in told["text"]
    program, webhook = result.notes
    assert program.startswith("Notified (pushed): python")
    assert webhook.startswith("Not notified (pushed): the webhook at 127.0.0.1 cannot be reached")
    log = result.folder / "tell-end" / "attempt-1" / "log.txt"
    assert webhook in log.read_text(encoding="utf-8")
    # The address is nobody's but the task's: no file of the run has it.
    texts = [path.read_bytes() for path in result.folder.rglob("*") if path.is_file()]
    assert len(texts) > 20 and not any(b"T0KEN" in text for text in texts)
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    assert TELL_END not in [node["node_id"] for node in record["nodes"]]


def _fail_at(store, pipeline, run_id, node_id):
    """Marks the executions of a node, and of all behind it, as failed; returns these nodes."""
    lost = {node_id}
    for node in (one.pipeline_node for one in pipeline.nodes):
        if lost & set(node.upstream_nodes):
            lost.add(node.node_info.id)
    context = store.get_context_by_type_and_name("pipeline_run", run_id)
    for execution in store.get_executions_by_context(context.id):
        names = {
            one.name.partition(".")[2] for one in store.get_contexts_by_execution(execution.id)
        }
        if names & lost:
            execution.last_known_state = metadata_store_pb2.Execution.FAILED
            store.put_executions([execution])
    return lost


def _compiled(out):
    """The pipeline of the first rehearsal in a folder."""
    ir = min((out / "package" / "ir").glob("*.pb"), key=lambda path: path.stat().st_mtime_ns)
    return read_compiled_pipeline(str(ir), ir.stem)


def test_a_failure_at_any_node_is_told_with_the_node_and_why(killed_once, tmp_path, capsys):
    """Of the finished rehearsal's metadata; half of the nodes leave no reason, as killed ones."""
    out, rehearsal, _ = killed_once
    run_id = rehearsal.result.run_id
    pipeline = _compiled(out)
    telling = {
        "notify": {"command": [sys.executable, "-c", KEEP]}, "tracking": {},
        "folder": str(tmp_path), "host": "https://kubeflow.example.com/pipeline/",
    }  # fmt: skip
    told = tmp_path / f"{pipeline.pipeline_info.id}.jsonl"
    nodes = node_ids(pipeline)
    assert {"LogExampleGen", "DriftGuard", "Trainer", "RelaImpGate", "Pusher"} <= set(nodes)
    for number, node_id in enumerate(nodes):
        shutil.copy(out / "metadata.sqlite", tmp_path)
        connection = connection_of({"TFX_MLMD_SQLITE": str(tmp_path / "metadata.sqlite")})
        with metadata.Metadata(connection) as handle:
            lost = _fail_at(handle.store, pipeline, run_id, node_id)
            if number % 2 or node_id == "DriftGuard":
                note_failure(handle, run_id, node_id, "price moved\nby 0.3")
        tell_run_end(pipeline, run_id, telling, connection)
        tell_run_end(pipeline, run_id, telling, connection)
        assert f"Told before: failed at {node_id}" in capsys.readouterr().out
        (message,) = map(json.loads, told.read_text(encoding="utf-8").splitlines())
        told.unlink()
        drifted = node_id == "DriftGuard"
        assert message["EVENT"] == ("drifted" if drifted else "failed")
        assert message["OUTCOME"].startswith(f"failed at {node_id}")
        why = "price moved" if number % 2 or drifted else "it ended without a word"
        assert f"\n{node_id}: {why}" in message["text"]
        # A Pusher that was killed may have pushed before: the serving folder is asked.
        is_pushed = node_id == "Pusher" or "Pusher" not in lost
        pushed = rehearsal.result.pushed_to if is_pushed else ""
        assert message["PUSHED_TO"] == pushed
        assert message["LOG"] == f"https://kubeflow.example.com/pipeline/#/runs/details/{run_id}"


def test_a_run_is_tracked_with_the_record_of_a_local_one(killed_once, monkeypatch):
    out, rehearsal, _ = killed_once
    seen = []
    monkeypatch.setattr(tell, "track", lambda *given: seen.append((*given, given[4].read_text())))
    telling = {"notify": {}, "tracking": {"mlflow": "https://m"}, "folder": None, "host": None}
    store = connection_of({"TFX_MLMD_SQLITE": str(out / "metadata.sqlite")})
    monkeypatch.setattr(run_end, "claim_telling", lambda *given: True)
    tell_run_end(_compiled(out), rehearsal.result.run_id, telling, store)
    ((settings, name, record, values, _, report),) = seen
    own = json.loads((rehearsal.result.folder / "run.json").read_text(encoding="utf-8"))
    assert settings.mlflow == "https://m" and name == own["name"]
    assert "<html" in report and values["training"]["epochs"] == 2
    for key in ("run_id", "outcome", "model", "metrics", "comparisons", "spans", "pushed_to"):
        assert record[key] == own[key], key
    names = [node["node_id"] for node in own["nodes"]]
    assert sorted(node["node_id"] for node in record["nodes"]) == sorted(names)
    seconds = {node["node_id"]: node["seconds"] for node in record["nodes"]}
    assert record["seconds"] >= max(seconds.values()) > 0


def test_each_task_had_the_launchers_files(killed_once):
    _, rehearsal, _ = killed_once
    (attempt,) = (rehearsal.result.folder / "rela-imp-gate").glob("attempt-*")
    given = json.loads((attempt / "executor_input.json").read_text())
    assert given["inputs"]["parameterValues"]["run_id"] == rehearsal.result.run_id
    assert given["inputs"]["parameterValues"]["run_name"] == "first"
    output = json.loads((attempt / "output_metadata.json").read_text())
    assert output["parameterValues"] == {"blessed": True}
    assert (attempt / "parameters" / "blessed").read_text() == "true"
    assert (attempt / "artifacts" / "summary").read_text()


def test_an_unblessed_model_is_not_pushed_and_the_rest_comes_from_the_cache(
    killed_once, experiment_file, held_back
):
    _, first, _ = killed_once
    code, output, result = held_back
    assert code == 3
    assert "NOT BLESSED" in output
    lines = {line.split()[1]: line for line in output.splitlines() if line.startswith(("✔ ", "○ "))}
    for node_id in ("LogExampleGen", "StatisticsGen", "Transform", "Trainer"):
        assert "cached" in lines[node_id], lines
    assert "skipped" in lines["Pusher"]
    versions = [path.name for path in Path(first.result.pushed_to).parent.glob("[0-9]*")]
    assert versions == ["1"]
    assert output.strip().splitlines()[-1] == f"Run: {result.run_id}"
    (told,) = _told(experiment_file, result.run_id)
    assert (told["EVENT"], told["OUTCOME"]) == ("blocked", "not blessed")
    assert "✘ click, overall: AUC" in told["text"]
    assert "Notified (blocked): python" in output


@pytest.fixture(scope="module")
def windowed(experiment_file, tmp_path_factory):
    """A rehearsal over two days and one, whose reading task is killed after its first day."""
    values = yaml.safe_load(experiment_file.read_text(encoding="utf-8"))
    del values["data"]["split"]
    values["data"]["path"] = values["data"]["path"].replace("day=*", "day={SPAN:2}")
    values["data"]["window"] = {"train": 2}
    values["validation"] = {"allow_anomalies": True}
    values["serving"]["check"] = None
    values["drift"] = {"on_drift": "off"}
    values["training"] |= {"epochs": 1, "warm_start": "incremental"}
    path = experiment_file.parent / "windowed.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    out = tmp_path_factory.mktemp("windowed")
    killed, lines = [], []

    def on_progress(name, line):
        lines.append((name, line))
        # Logged by the task, which has yet to read the next ones.
        if line.startswith("span 3: ") and not killed:
            killed.append(PROCESSES["LogExampleGen"])
            os.kill(killed[0], signal.SIGKILL)

    rehearsal = rehearse(read_experiment(path), out, {"span": "5"}, on_progress=on_progress)
    return path, out, rehearsal, [line for name, line in lines if name == "log-example-gen"]


def test_the_task_that_reads_sees_to_the_whole_window(windowed):
    _, _, rehearsal, lines = windowed
    (task,) = [task for task in rehearsal.tasks if task.node_id == "LogExampleGen"]
    assert task.attempts == 2
    told = [line.partition(":")[0] for line in lines if line.startswith("span ")]
    assert told[0] == "span 3" and told[-1] == "span 4"
    window = rehearsal.result.window
    assert (window["train"], window["test"]) == ([3, 4], [5])
    page = (rehearsal.result.folder / "report.html").read_text(encoding="utf-8")
    assert "trained on 3 to 4, tested on 5" in page


def test_without_a_base_model_the_whole_window_trains(windowed):
    """Transform's examples are those that the resolver before it gives."""
    _, _, rehearsal, _ = windowed
    outputs = {node.node_id: node.outputs for node in rehearsal.result.nodes}
    assert len(outputs["BaseModel"]["examples"]) == 2 and not outputs["BaseModel"].get("model")


def test_the_second_day_trains_its_new_span_on_from_the_first_days_model(windowed):
    """The window moves on by a day; the base model comes from the metadata store."""
    path, out, first, _ = windowed
    lines = []
    second = rehearse(
        read_experiment(path), out, {"span": "6"},
        on_progress=lambda name, line: lines.append(line),
    )  # fmt: skip
    states = {task.node_id: task.state for task in second.tasks}
    assert states["LogExampleGen"] == states["Trainer"] == "complete"
    # The older span was read yesterday.
    assert not [line for line in lines if line.startswith("span ")]
    result, window = second.result, second.result.window
    assert (window["train"], window["test"], window["before"]) == ([5], [6], [3, 4])
    outputs = {node.node_id: node.outputs for node in result.nodes}
    base = first.result.output("Trainer", "model")
    assert outputs["BaseModel"]["model"] == outputs["LatestBlessedModel"]["model"] == [base]
    assert outputs["BaseModel"]["examples"] == [first.result.output("LogExampleGen", "examples")]
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    compared = [one for one in record["comparisons"] if one["slice"] == "overall"]
    assert [(one["task"], one["baseline"]) for one in compared] == [("click", "baseline")]
    assert result.blessed and Path(result.pushed_to).name == "2"
    (told,) = _told(path, result.run_id)
    assert (told["EVENT"], told["PUSHED_TO"]) == ("pushed", result.pushed_to)


def test_a_day_that_is_not_there_fails_its_retries_and_is_told(windowed):
    """The task fails before TFX has an execution of it."""
    path, out, _, _ = windowed
    told = []
    with pytest.raises(RehearsalFailed, match="Notified .failed.: python"):
        rehearse(read_experiment(path), out, {"span": "99"}, on_task=told.append)
    (failed,) = {task.node_id: task for task in told if task.state == "failed"}.values()
    assert (failed.node_id, failed.attempts) == ("LogExampleGen", 2)
    (run,) = [run for run in list_runs(out) if run.outcome.value == "failed"]
    (message,) = _told(path, run.run_id)
    assert (message["EVENT"], message["OUTCOME"]) == ("failed", "failed at LogExampleGen")
    assert "\nLogExampleGen: " in message["text"] and "99" in message["text"]
    assert message["text"].splitlines()[-1] == "The model was not pushed."


def test_a_run_that_is_not_there_is_not_resumed(experiment_file, tmp_path):
    with pytest.raises(RehearsalFailed, match="--resume absent: no such run in"):
        rehearse(read_experiment(experiment_file), tmp_path, resume="absent")


def test_wrong_options_are_refused(experiment_file, capsys):
    assert command_line.main(["rehearse", str(experiment_file), "--workers", "0"]) == 2
    assert "--workers: at least 1" in capsys.readouterr().err
    arguments = ["rehearse", str(experiment_file), "--resume", "r", "--span", "1"]
    assert command_line.main(arguments) == 2
    assert "leave out --span" in capsys.readouterr().err
