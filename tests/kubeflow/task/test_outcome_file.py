"""What a task tells whoever started it here."""

import pytest

from mtlx.kubeflow.task.outcome_file import OUTCOME_FILE, read_outcome, write_outcome
from mtlx.pipeline.run.node_run import NodeOutcome, NodeState


def test_what_is_written_is_read_and_nothing_is_written_unasked(tmp_path):
    outcome = NodeOutcome("Trainer", NodeState.CACHED, 3, {"model": ["/m", "/n"], "empty": []})
    path = tmp_path / "outcome.json"
    write_outcome({}, outcome)
    assert read_outcome(path) is None and not list(tmp_path.iterdir())
    write_outcome({OUTCOME_FILE: str(path)}, outcome)
    assert read_outcome(path) == ("cached", {"model": ["/m", "/n"], "empty": []})
    assert [file.name for file in tmp_path.iterdir()] == ["outcome.json"]
    path.write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        read_outcome(path)
