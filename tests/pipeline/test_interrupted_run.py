"""A run that is stopped or killed goes on where it was, and ends with the same artifacts."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import psutil
import tensorflow as tf
import yaml

from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.history.list_runs import list_runs
from mtlx.pipeline.process.prompt_stop import STOPPED
from mtlx.pipeline.run.nodes.run_nodes import is_for_two
from tests.planted_kills import command_of, ended_at, started

#: How runs are ended one after the other, at what sign of which node, and their exit codes.
ENDS = (
    (signal.SIGINT, "● LogExampleGen", 130),
    (signal.SIGTERM, "    epoch 1 of", 143),
    (signal.SIGKILL, "● SliceEvaluation", -signal.SIGKILL),
)

#: Trained beside the candidate.
REFERENCE = {"network": "shared_bottom", "embedding_size": 4}

#: Beam with workers of its own, which have to end as well.
WORKERS = "run.beam_pipeline_args=[--direct_running_mode=multi_processing, --direct_num_workers=2]"


def _start(path, *overrides):
    """A run in a process of its own."""
    return started(command_of("run", path, *overrides))


def _run_until(path, wait_until_dead, sign, number, code, *overrides):
    """Runs until a line shows the sign, then ends the process; returns what it printed."""
    process, children = _start(path, *overrides), []
    look = (lambda process: children.extend(_children(process))) if overrides else (lambda _: None)
    printed = ended_at(process, sign, number, look)
    assert process.returncode == code, printed
    for child in children:
        wait_until_dead(child)
    return printed


def _children(process):
    """Children of a process, as soon as it has some."""
    parent = psutil.Process(process.pid)
    while not (children := parent.children(recursive=True)) and process.poll() is None:
        time.sleep(0.01)
    assert children
    return children


def _scores(run, examples_uri):
    served = tf.saved_model.load(run["pushed_to"])
    files = sorted(tf.io.gfile.glob(examples_uri + "/Split-test/*"))
    examples = tf.stack(list(tf.data.TFRecordDataset(files, "GZIP")))
    return served.signatures["serving_default"](examples)


def _output(run, node_id, name):
    (node,) = [node for node in run["nodes"] if node["node_id"] == node_id]
    return node["outputs"][name][0]


def test_run_ended_at_three_nodes_gives_the_same_artifacts(
    write_experiment, finished, wait_until_dead
):
    _, uninterrupted = finished
    # Two trainings, so that both are ended at once.
    path = write_experiment(serving={"check": None}, gate={"reference": REFERENCE})
    for number, sign, code in ENDS:
        workers = [WORKERS] if number == signal.SIGINT else []
        output = _run_until(path, wait_until_dead, sign, number, code, *workers)
        assert "Traceback" not in output
        assert output.count(STOPPED) == (number != signal.SIGKILL)
    last = _start(path)
    output, _ = last.communicate()
    assert last.returncode == 0, output

    root = Path(yaml.safe_load(path.read_text(encoding="utf-8"))["run"]["pipeline_root"])
    trained = "ReferenceTrainer and Trainer" if is_for_two() else "ReferenceTrainer"
    # Each left a record of how it ended; the one that was killed, of how far it came.
    runs = list_runs(root)
    assert [one.verdict for one in runs] == [
        "stopped at LogExampleGen", f"stopped at {trained}", "killed at SliceEvaluation",
        "blessed, pushed",
    ]  # fmt: skip
    assert runs[2].nodes[-1].state == "complete" and runs[2].bytes > 0
    run = json.loads((root / "runs" / "latest" / "run.json").read_text(encoding="utf-8"))
    states = {node["node_id"]: node["state"] for node in run["nodes"]}
    assert states["LogExampleGen"] == states["Transform"] == states["Trainer"] == "cached"
    assert states["ReferenceTrainer"] == "cached"
    assert states["SliceEvaluation"] == "complete"

    history = json.loads(
        (Path(_output(run, trained.split()[-1], "model_run")) / "history.json").read_text(
            encoding="utf-8"
        )
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
        same = ours.metric(metric.model, metric.task, metric.key)
        assert same.examples == metric.examples
        if metric.auc is not None:
            np.testing.assert_allclose(same.auc, metric.auc, atol=1e-4)
