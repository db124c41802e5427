"""What is told of a run's end: which event, which lines; and that it never fails the run."""

import dataclasses
import json
import sys

import pytest

from mtlx.components.relaimp_gate.verdict import Check, Verdict
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_result import NodeRun
from mtlx.pipeline.run.tell import DRIFT_NODE, SKEW_NODE, tell_end, tell_failure

#: Keeps what it is told, one line of JSON per message.
KEEP = """
import json, os, sys
with open("told.jsonl", "a", encoding="utf-8") as file:
    names = ("EVENT", "EVENTS", "OUTCOME", "REPORT", "PUSHED_TO")
    told = {name: os.environ["MTLX_" + name] for name in names}
    file.write(json.dumps({**told, "text": sys.stdin.read()}) + "\\n")
"""
EXPERIMENT = """name: told
data: {path: /logs/*.csv, split: {by: time, column: day, test_from: 2024-01-08}}
features: {item: {kind: categorical}}
tasks: {click: {label: click}}
model: {preset: ple}
"""
CHECKS = [
    Check("auc", "click", "overall", True, "click, overall: AUC 0.7 is at least 0.6"),
    Check("relaimp", "click", "domain=a", False, "click, domain=a: RelaImp is below 0 %"),
]


@pytest.fixture
def experiment(tmp_path):
    """An experiment that tells a program, of the given events."""

    def function(**notify):
        path = tmp_path / "experiment.yaml"
        notify = {"command": [sys.executable, "-c", KEEP], **notify}
        path.write_text(f"{EXPERIMENT}notify: {json.dumps(notify)}\n", encoding="utf-8")
        return read_experiment(path)

    return function


@pytest.fixture
def ended(tmp_path):
    """The folder of a run that came to its end."""

    def function(blessed, pusher="complete", pushed_to=None, **more):
        blessing = tmp_path / "blessing"
        Verdict(blessed, None, CHECKS).save(str(blessing))
        nodes = [
            NodeRun("RelaImpGate", "complete", 1.0, outputs={"blessing": [str(blessing)]}),
            NodeRun("Pusher", pusher, 1.0),
        ]
        folder = RunFolder.of(tmp_path, "20261127-030000-000000")
        folder.path.mkdir(parents=True)
        folder.write_report("<h1>report</h1>")
        record = {"nodes": [dataclasses.asdict(node) for node in nodes], "blessed": blessed,
                  "pushed_to": pushed_to, **more}  # fmt: skip
        RunJournal(folder.path, folder.path.name).finished(record, blessed)
        return folder.path

    return function


def _told(tmp_path):
    path = tmp_path / "told.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def test_a_blocked_run_tells_what_held_it_back_and_where_the_report_is(experiment, ended, tmp_path):
    folder = ended(False, "skipped")
    (note,) = tell_end(experiment(), folder)
    assert note.startswith("Notified (blocked): ")
    (told,) = _told(tmp_path)
    assert (told["EVENT"], told["OUTCOME"]) == ("blocked", "not blessed")
    assert told["REPORT"] == str(folder / "report.html")
    assert told["text"].splitlines() == [
        "told: not blessed (run 20261127-030000-000000)",
        "✘ click, domain=a: RelaImp is below 0 %",
        "1 of 2 checks of the gate are met",
        f"Report: {folder / 'report.html'}",
    ]


def test_a_new_version_is_pushed_and_one_that_was_found_is_not(experiment, ended, tmp_path):
    tell_end(experiment(), ended(True, "complete", "/serving/7"))
    (told,) = _told(tmp_path)
    assert (told["EVENT"], told["PUSHED_TO"]) == ("pushed", "/serving/7")
    assert "Pushed to /serving/7" in told["text"]


def test_a_version_that_was_found_is_not_told(experiment, ended, tmp_path):
    assert tell_end(experiment(), ended(True, "cached", "/serving/7")) == ()
    assert _told(tmp_path) == []


def test_what_drifted_is_told_of_a_run_that_goes_on(experiment, ended, tmp_path):
    folder = ended(True, "complete", "/serving/7", drift=["price: psi 0.3, threshold 0.2"])
    tell_end(experiment(events=["drifted"]), folder)
    (told,) = _told(tmp_path)
    assert (told["EVENT"], told["EVENTS"]) == ("drifted", "drifted pushed")
    assert "Drifted: price: psi 0.3, threshold 0.2" in told["text"].splitlines()


def test_what_was_served_otherwise_is_told_likewise(experiment, ended, tmp_path):
    folder = ended(True, "complete", "/serving/7", drift=[], skew=["score of click: 98 %"])
    tell_end(experiment(events=["drifted"]), folder)
    (told,) = _told(tmp_path)
    assert (told["EVENT"], told["EVENTS"]) == ("drifted", "drifted pushed")
    assert "Served otherwise: score of click: 98 %" in told["text"].splitlines()


@pytest.mark.parametrize(
    ("where", "events", "expected"),
    [
        ("Trainer", ["failed"], "failed"),
        ("before the first node", ["failed"], "failed"),
        (DRIFT_NODE, ["failed", "drifted"], "drifted"),
        (DRIFT_NODE, ["failed"], "failed"),
        (DRIFT_NODE, ["drifted"], "drifted"),
        (SKEW_NODE, ["drifted"], "drifted"),
        ("Trainer", ["drifted", "blocked"], None),
    ],
)
def test_a_failure_is_told_to_who_asks_for_it(experiment, tmp_path, where, events, expected):
    folder = RunFolder.of(tmp_path, "run-1")
    folder.path.mkdir(parents=True)
    journal = RunJournal(folder.path, "run-1")
    journal.begin({})
    journal.failed(where, "the loss is no number")
    notes = tell_failure(experiment(events=events), folder.path, where, "why\nThe model was not")
    assert len(notes) == (expected is not None)
    assert [told["EVENT"] for told in _told(tmp_path)] == ([expected] if expected else [])
    for told in _told(tmp_path):
        assert told["text"].splitlines()[1:] == ["why", "The model was not", f"Log: {folder.log}"]
        assert told["OUTCOME"].startswith("failed")


def test_a_record_that_cannot_be_read_is_a_line(experiment, tmp_path):
    (note,) = tell_failure(experiment(), tmp_path / "nowhere", "Trainer", "why")
    assert note.startswith("Not all were told of the run's end: FileNotFoundError")


def test_who_tells_nobody_has_no_notes(ended, tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    assert tell_end(read_experiment(path), ended(False, "skipped")) == ()
