"""What is said at the end of the epochs that were kept, and of what to mind."""

import json

import pytest

from mtlx.pipeline.run.run_result import NodeRun
from mtlx.pipeline.terminal.training_lines import training_lines


@pytest.fixture
def node(tmp_path):
    """A finished node whose folders hold the given records; None leaves the file out."""

    def function(node_id, *records):
        folders = []
        for number, record in enumerate(records):
            folders.append(tmp_path / f"{node_id}-{number}")
            folders[-1].mkdir()
            if record is not None:
                text = json.dumps({"epochs": [], **record}, ensure_ascii=False)
                (folders[-1] / "history.json").write_text(text, encoding="utf-8")
        outputs = {"model_run": [str(folder) for folder in folders]} if folders else {}
        return NodeRun(node_id, "complete", outputs=outputs)

    return function


def test_each_training_has_its_line_in_the_order_of_the_nodes(node):
    nodes = [
        node("ReferenceTrainer", {"kept": "Epoch 3."}),
        node("Report"),
        node("Trainer", {"kept": "Épochè 2."}),
    ]
    assert training_lines(nodes) == (["ReferenceTrainer: Epoch 3.", "Trainer: Épochè 2."], [])


def test_what_both_warn_of_is_said_once_in_the_order_of_its_first(node):
    nodes = [
        node("ReferenceTrainer", {"warnings": ["few rows of buy", "flat"]}),
        node("Trainer", {"warnings": ["slow", "few rows of buy"]}),
    ]
    assert training_lines(nodes) == ([], ["few rows of buy", "flat", "slow"])


def test_a_record_that_is_not_there_says_nothing(node):
    """As of a model run of an older version, or one whose folder was cleared."""
    gone = NodeRun("Trainer", "cached", outputs={"model_run": ["/no/such/folder"]})
    assert training_lines([gone, node("ReferenceTrainer", None)]) == ([], [])
    assert training_lines([]) == ([], [])


def test_the_first_record_of_several_folders_counts(node):
    assert training_lines([node("Trainer", None, {"kept": "b"}, {"kept": "c"})])[0] == [
        "Trainer: b"
    ]
