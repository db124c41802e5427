"""Whole rehearsals of a small experiment: every task a process, a real metadata server.

LogExampleGen and the Trainer are started as they are for anybody; the other tasks' processes are
forked from one that has imported TensorFlow.
"""

import json
import os
import signal
import subprocess
import types
from pathlib import Path

import pytest
import tensorflow as tf
import yaml

from mtlx.components.skew_guard.skew_result import Skew
from mtlx.kubeflow import command_line
from mtlx.kubeflow.rehearsal import task_process
from mtlx.kubeflow.rehearsal.rehearse import RehearsalFailed, rehearse
from mtlx.pipeline import command_line as pipeline_commands
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate
from tests.forked_process import ForkedProcess

CONFIGS = Path(__file__).parents[3] / "configs"
FEATURES = ("user_id", "age", "gender", "item_id", "scenario")

#: Nodes whose first attempts are not forked.
STARTED = ("LogExampleGen", "Trainer")
#: Ids of the last processes of nodes; those that were forked don't tell in their arguments.
PROCESSES = {}


@pytest.fixture(scope="module", autouse=True)
def _forked_tasks():
    started = set()

    def start(command, **options):
        node_id = command[command.index("--node") + 1]
        if node_id in STARTED and node_id not in started:
            started.add(node_id)
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
    values["training"] = {"epochs": 2, "batch_size": 256, "checkpoint_every_steps": 1}
    values["evaluation"] = {"slices": [["domain"]], "user_key": "user_id"}
    threshold = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.2}
    values["gate"] = {"thresholds": [{**threshold, "bound": "point"}], "minimum_positives": 10}
    values["serving"] = {"push_to": str(folder / "not-here")}
    values["report"] = {"best_possible": str(folder / "simulated/best_auc.json")}
    values["kubeflow"] = {"defaults": {"retries": 1, "retry_seconds": 0}}
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


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


def test_what_was_served_is_looked_at_in_a_task_of_its_own(killed_once, experiment_file, tmp_path):
    out, first, _ = killed_once
    logs, served = experiment_file.parent / "simulated/logs/day=08/*.csv", tmp_path / "served"
    score = ["score", str(experiment_file), "--version", first.result.pushed_to]
    score += ["--input", str(logs), "--output", str(served), "--with-features"]
    assert pipeline_commands.main(score) == 0
    versions = Path(first.result.pushed_to).parent
    skew = {"reader": "parquet", "scores": {"click": "score_click"}, "versions_in": str(versions)}
    settings = (
        f"data.serving_path={json.dumps(f'{served}/*.parquet')}",
        f"skew={json.dumps(skew)}",
    )
    rehearsal = rehearse(read_experiment(experiment_file, settings), out)
    states = {task.node_id: task.state for task in rehearsal.tasks}
    assert states["SkewGuard"] == states["Report"] == "complete"
    assert states["StatisticsGen"] == states["Trainer"] == "cached"
    found = Skew.load(rehearsal.result.output("SkewGuard", "skew"))
    assert found.beyond == [] and found.scores[0].compared > 150
    assert list(found.scores[0].versions) == [Path(first.result.pushed_to).name]


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
    killed_once, experiment_file, capsys
):
    out, first, _ = killed_once
    arguments = ["rehearse", str(experiment_file), "--out", str(out)]
    arguments += ["--set", "gate.thresholds=[{rule: auc, minimum: 0.999}]"]
    assert command_line.main(arguments) == 3
    output = capsys.readouterr().out
    assert "NOT BLESSED" in output
    lines = {line.split()[1]: line for line in output.splitlines() if line.startswith(("✔ ", "○ "))}
    for node_id in ("LogExampleGen", "StatisticsGen", "Transform", "Trainer", "SliceEvaluation"):
        assert "cached" in lines[node_id], lines
    assert "skipped" in lines["Pusher"]
    versions = [path.name for path in Path(first.result.pushed_to).parent.glob("[0-9]*")]
    assert versions == ["1"]


@pytest.fixture(scope="module")
def windowed(experiment_file, tmp_path_factory):
    """A rehearsal over two days and one, whose reading task is killed after its first day."""
    values = yaml.safe_load(experiment_file.read_text(encoding="utf-8"))
    del values["data"]["split"]
    values["data"]["path"] = values["data"]["path"].replace("day=*", "day={SPAN:2}")
    values["data"]["window"] = {"train": 2}
    values["validation"] = {"allow_anomalies": True}
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
    return rehearsal, [line for name, line in lines if name == "log-example-gen"]


def test_the_task_that_reads_sees_to_the_whole_window(windowed):
    rehearsal, lines = windowed
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
    rehearsal, _ = windowed
    outputs = {node.node_id: node.outputs for node in rehearsal.result.nodes}
    assert len(outputs["BaseModel"]["examples"]) == 2 and not outputs["BaseModel"].get("model")


def test_a_run_that_is_not_there_is_not_resumed(experiment_file, tmp_path):
    with pytest.raises(RehearsalFailed, match="--resume absent: no such run in"):
        rehearse(read_experiment(experiment_file), tmp_path, resume="absent")


def test_wrong_options_are_refused(experiment_file, capsys):
    assert command_line.main(["rehearse", str(experiment_file), "--workers", "0"]) == 2
    assert "--workers: at least 1" in capsys.readouterr().err
    arguments = ["rehearse", str(experiment_file), "--resume", "r", "--span", "1"]
    assert command_line.main(arguments) == 2
    assert "leave out --span" in capsys.readouterr().err
