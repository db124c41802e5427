"""A run's record is true at every moment, and a disk that is full stops nothing but the record."""

import logging
import os

import pytest

from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_result import NodeRun

READ = NodeRun("LogExampleGen", "complete", 1.5, 100, {"examples": ["/x"]}, 0, 2000)


@pytest.fixture
def journal(tmp_path):
    journal = RunJournal(tmp_path, "20261127-030000-000000")
    journal.begin({"name": "daily", "model": "mmoe"})
    return journal


def _noted(tmp_path):
    """What record and summary say; both say the same."""
    folder = RunFolder(tmp_path)
    record = folder.read_record()
    summary = RunSummary.of_values(folder.read_summary())
    assert summary == RunSummary.of_record(record["run_id"], record)
    return record, summary


def test_a_run_is_noted_from_its_first_moment(journal, tmp_path):
    record, summary = _noted(tmp_path)
    assert summary.outcome is Outcome.UNDER_WAY and summary.process == os.getpid()
    assert (record["name"], summary.model, summary.nodes) == ("daily", "mmoe", ())
    journal.node([READ], "Trainer")
    record, summary = _noted(tmp_path)
    assert [node.node_id for node in summary.nodes] == ["LogExampleGen"]
    assert (summary.bytes, summary.verdict) == (2000, "under way at Trainer")
    assert record["nodes"][0]["outputs"] == {"examples": ["/x"]}


def test_a_failure_says_where_and_why(journal, tmp_path):
    journal.node([READ, NodeRun("Trainer", "failed", 3.0)])
    journal.failed("Trainer", "the loss is no number")
    record, summary = _noted(tmp_path)
    assert summary.verdict == "failed at Trainer" and summary.message == "the loss is no number"
    assert record["blessed"] is False and summary.process is None
    # What comes after, say a signal, does not change it.
    journal.stopped()
    assert _noted(tmp_path)[1].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("nodes", "running", "where"),
    [
        ([], None, "before the first node"),
        ([READ], "Trainer", "at Trainer"),
        ([READ], None, "after LogExampleGen"),
    ],
)
def test_a_stop_says_where(journal, tmp_path, nodes, running, where):
    journal.node(nodes, running)
    journal.stopped()
    assert _noted(tmp_path)[1].verdict == f"stopped {where}"


def test_a_failure_after_the_push_says_so(journal, tmp_path):
    journal.failed("after Pusher", "no space", "/serving/7")
    assert _noted(tmp_path)[1].verdict == "failed after Pusher, pushed"


def test_a_finished_run_is_not_stopped_any_more(journal, tmp_path):
    journal.finished({"nodes": [], "blessed": True, "pushed_to": None}, True)
    journal.stopped()
    assert _noted(tmp_path)[1].outcome is Outcome.BLESSED


def test_a_disk_that_is_full_is_said_in_the_log_and_stops_nothing(
    journal, tmp_path, monkeypatch, caplog
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "write_record", full)
    with caplog.at_level(logging.WARNING):
        journal.node([READ])
        journal.failed("Trainer", "why")
    assert "No space left on device" in caplog.text
    # But a run is not finished that nobody will know of.
    with pytest.raises(OSError, match="No space"):
        journal.finished({"nodes": [], "blessed": True}, True)
    assert _noted(tmp_path)[1].outcome is Outcome.UNDER_WAY
