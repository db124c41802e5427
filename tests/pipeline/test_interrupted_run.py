"""A run that is killed goes on where it was, and ends with the same artifacts."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import yaml

from components.slice_evaluation.results import load_results

#: Nodes at which the run is killed, one after the other, and what shows that they are at work.
KILLS = (
    ("LogExampleGen", "● LogExampleGen"),
    ("Trainer", "epoch 1 of"),
    ("SliceEvaluation", "● SliceEvaluation"),
)


def _start(path):
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.command_line", "run", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
    )


def _run_until(path, sign):
    """Runs until a line shows the sign, then kills the process without warning."""
    process = _start(path)
    seen = []
    for line in process.stdout:
        seen.append(line)
        if sign in line:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    assert process.returncode == -signal.SIGKILL, "".join(seen)
    return "".join(seen)


def _scores(run, examples_uri):
    served = tf.saved_model.load(run["pushed_to"])
    files = sorted(tf.io.gfile.glob(examples_uri + "/Split-test/*"))
    examples = tf.stack(list(tf.data.TFRecordDataset(files, "GZIP")))
    return served.signatures["serving_default"](examples)


def _output(run, node_id, name):
    (node,) = [node for node in run["nodes"] if node["node_id"] == node_id]
    return node["outputs"][name][0]


def test_run_killed_at_three_nodes_gives_the_same_artifacts(write_experiment, finished):
    _, uninterrupted = finished
    path = write_experiment()
    for _, sign in KILLS:
        _run_until(path, sign)
    last = _start(path)
    output, _ = last.communicate()
    assert last.returncode == 0, output

    root = Path(yaml.safe_load(path.read_text(encoding="utf-8"))["run"]["pipeline_root"])
    run = json.loads((root / "runs" / "latest" / "run.json").read_text(encoding="utf-8"))
    states = {node["node_id"]: node["state"] for node in run["nodes"]}
    assert states["LogExampleGen"] == states["Transform"] == states["Trainer"] == "cached"
    assert states["SliceEvaluation"] == "complete"

    history = json.loads(
        (Path(_output(run, "Trainer", "model_run")) / "history.json").read_text(encoding="utf-8")
    )
    assert history["resumed_from_step"] > 0
    assert not list((root / "artifacts" / "checkpoints").iterdir())

    examples = uninterrupted.output("LogExampleGen", "examples")
    expected = _scores({"pushed_to": uninterrupted.pushed_to}, examples)
    for task, scores in _scores(run, examples).items():
        np.testing.assert_allclose(scores, expected[task], atol=1e-5)
    ours = load_results(_output(run, "SliceEvaluation", "evaluation"))
    theirs = load_results(uninterrupted.output("SliceEvaluation", "evaluation"))
    for metric in theirs.metrics:
        same = ours.metric(metric.model, metric.task, metric.slice)
        assert same.examples == metric.examples
        if metric.auc is not None:
            np.testing.assert_allclose(same.auc, metric.auc, atol=1e-4)
