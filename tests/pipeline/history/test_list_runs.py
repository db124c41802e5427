"""Runs of every kind are listed, with what they have."""

import json
import os
import subprocess
import sys

import pytest

from mtlx.pipeline.history import words
from mtlx.pipeline.history.list_runs import list_runs
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_summary import Outcome
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_lock import run_lock
from mtlx.pipeline.run.run_result import NodeRun


def _folder(root, run_id):
    folder = RunFolder.of(root, run_id)
    folder.path.mkdir(parents=True)
    folder.log.write_text("a line\n", encoding="utf-8")
    return folder


def _outcomes(root):
    return {run.run_id: run.verdict for run in list_runs(root)}


def test_there_may_be_none(tmp_path):
    assert list_runs(tmp_path / "nowhere") == []
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "stray file").touch()
    (tmp_path / "runs" / "empty folder").mkdir()
    assert list_runs(tmp_path) == []


def test_old_folders_are_listed_with_what_they_have(tmp_path):
    record = {"nodes": [], "blessed": True, "pushed_to": "/serving/1"}
    _folder(tmp_path, "20260102-000000-000000").write_record(record)
    _folder(tmp_path, "20260101-000000-000000")  # failed, stopped or killed: there is a log only
    broken = _folder(tmp_path, "20260103-000000-000000")
    (broken.path / "run.json").write_text('{"nodes": [', encoding="utf-8")
    strange = _folder(tmp_path, "20260104-000000-000000")
    (strange.path / "run.json").write_text("[1]", encoding="utf-8")
    RunFolder.of(tmp_path, "20260102-000000-000000").make_latest()
    assert _outcomes(tmp_path) == {
        "20260101-000000-000000": "killed",
        "20260102-000000-000000": "blessed, pushed",
        "20260103-000000-000000": "unreadable",
        "20260104-000000-000000": "unreadable",
    }


@pytest.mark.parametrize(
    ("found", "marks"),
    [
        ({"drift": [], "skew": []}, ((), ())),
        ({}, ((), ())),
        ({"drift": ["price: psi 0.3"]}, (("price: psi 0.3",), ())),
        ({"skew": list("abcde")}, ((), ("a", "b", "c", "and 2 more"))),
    ],
)
def test_what_moved_on_a_day_stands_in_the_list(tmp_path, found, marks):
    folder = _folder(tmp_path, "20260101-000000-000000")
    RunJournal(folder.path, folder.path.name).finished(
        {"nodes": [], "blessed": True, **found}, True
    )
    (run,) = list_runs(tmp_path)
    assert (run.drift, run.skew) == marks
    # Without the summary it is read from the record.
    (folder.path / "summary.json").unlink()
    assert list_runs(tmp_path) == [run]


@pytest.mark.parametrize(("node", "moved"), [("DriftGuard", "drift"), ("SkewGuard", "skew")])
def test_a_run_that_what_moved_stopped_is_marked(tmp_path, node, moved):
    folder = _folder(tmp_path, "20260101-000000-000000")
    RunJournal(folder.path, folder.path.name).failed(node, "the data moved in 3 places")
    (run,) = list_runs(tmp_path)
    assert words.moved(run) == moved and run.verdict == f"failed at {node}"
    other = _folder(tmp_path, "20260102-000000-000000")
    RunJournal(other.path, other.path.name).failed("Trainer", "no memory")
    assert words.moved(list_runs(tmp_path)[1]) == words.NONE


def test_a_summary_older_than_its_record_is_not_believed(tmp_path):
    folder = _folder(tmp_path, "20260101-000000-000000")
    RunJournal(folder.path, folder.path.name).finished({"nodes": [], "blessed": True}, True)
    assert list_runs(tmp_path)[0].outcome is Outcome.BLESSED
    record = {**folder.read_record(), "outcome": "not blessed"}
    folder.write_record(record)  # by another program
    later = os.stat(folder.path / "run.json").st_mtime_ns + 1_000_000
    os.utime(folder.path / "run.json", ns=(later, later))
    assert list_runs(tmp_path)[0].outcome is Outcome.NOT_BLESSED


#: Begins a run, notes a node, says so, and waits.
AT_WORK = """
import sys, time
from pathlib import Path
from mtlx.pipeline.run.run_result import NodeRun
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_lock import run_lock
root = Path(sys.argv[1])
with run_lock(root):
    folder = RunFolder.of(root, "20260105-000000-000000").path
    folder.mkdir(parents=True)
    journal = RunJournal(folder, folder.name)
    journal.begin({"model": "ple", "begun": "2026-01-05T00:00:00+00:00"})
    journal.node([NodeRun("LogExampleGen", "complete", 1.0)], "Trainer")
    print("there", flush=True)
    time.sleep(3600)
"""


def test_a_run_is_under_way_until_its_process_is_gone(tmp_path):
    # Killed, before and after that one began: they are not taken for the one at work.
    for run_id in ("20260101-000000-000000", "20260109-000000-000000"):
        killed = _folder(tmp_path, run_id)
        RunJournal(killed.path, run_id).begin({})
        record = {**killed.read_record(), "begun": f"{run_id[:4]}-01-{run_id[6:8]}T00:00:00+00:00"}
        killed.write_record({**record, "process": os.getpid()})
    process = subprocess.Popen(
        [sys.executable, "-c", AT_WORK, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "there\n"
        expected = {
            "20260101-000000-000000": "killed",
            "20260105-000000-000000": "under way at Trainer",
            "20260109-000000-000000": "killed",
        }
        assert _outcomes(tmp_path) == expected
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert _outcomes(tmp_path)["20260105-000000-000000"] == "killed at Trainer"
    (run,) = [run for run in list_runs(tmp_path) if run.run_id.startswith("20260105")]
    assert [node.node_id for node in run.nodes] == ["LogExampleGen"] and run.model == "ple"


def test_looking_does_not_disturb_a_run_that_starts(tmp_path):
    folder = _folder(tmp_path, "20260101-000000-000000")
    (tmp_path / "run.lock").write_text(json.dumps({"pid": 2**22 + 1, "since": "x"}))
    assert _outcomes(tmp_path) == {folder.path.name: "killed"}
    with run_lock(tmp_path):
        assert list_runs(tmp_path)[0].outcome is Outcome.UNDER_WAY


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_runs_are_in_the_order_in_which_they_began(tmp_path, order):
    """Names of rehearsals are random."""
    for number in order:
        folder = _folder(tmp_path, f"rehearsal-{9 - number}")
        RunJournal(folder.path, folder.path.name).finished({"nodes": [], "blessed": True}, True)
        record = {**folder.read_record(), "begun": f"2026-01-0{number}T00:00:00+00:00"}
        folder.write_record(record)
        (folder.path / "summary.json").unlink()
    assert [run.run_id for run in list_runs(tmp_path)] == ["rehearsal-8", "rehearsal-7"]


def test_a_node_that_failed_stands_in_the_list(tmp_path):
    folder = _folder(tmp_path, "20260101-000000-000000")
    journal = RunJournal(folder.path, folder.path.name)
    journal.begin({})
    journal.node([NodeRun("Trainer", "failed", 2.0)])
    journal.failed("Trainer", "why")
    (run,) = list_runs(tmp_path)
    assert (run.verdict, run.message, run.nodes[0].state) == ("failed at Trainer", "why", "failed")
