from types import SimpleNamespace

import pytest
import tensorflow as tf

from mtlx.pipeline.run import node_run, window_run
from mtlx.pipeline.run.node_run import NodeOutcome, NodeState
from mtlx.pipeline.run.nodes import run_nodes, two_nodes
from mtlx.pipeline.run.nodes.run_nodes import RunNodes
from mtlx.pipeline.run.nodes.two_nodes import NodeEnd

NODES = ["LogExampleGen", "Transform", "ReferenceTrainer", "Trainer", "Report"]


class Run:
    """A run of nodes that do nothing, on a machine for two; `said` is what happened."""

    def __init__(self, patch, folder):
        self.said, self.nodes, self.failing = [], [], {}
        self.size, self.memory, self.hashed = 100, 2**34, None
        self._folder, patch_run = folder, patch.setattr
        patch_run(node_run, "node_ids", lambda pipeline: list(NODES))
        patch_run(node_run, "run_node", self._run_node)
        patch_run(node_run, "bind_parameters", lambda *given, **more: None)
        patch_run(window_run, "see_to_window", lambda *given, **more: None)
        patch_run(two_nodes, "TwoNodes", lambda second, run_node: SimpleNamespace(run=self._both))
        patch_run(run_nodes, "SecondProcess", self._second)
        patch_run(run_nodes, "is_for_two", lambda: True)
        patch_run(run_nodes, "has_begun", lambda: False)
        patch_run(run_nodes, "available_memory", lambda: self.memory)

    def _second(self, name):
        self.said.append(f"forked for {name}")
        return SimpleNamespace(end=lambda: self.said.append("ended"))

    def _outcome(self, node_id):
        if node_id in self.failing:
            raise self.failing[node_id]
        outputs = {}
        if node_id == "Transform":
            (self._folder / "examples").write_bytes(b"x" * self.size)
            outputs = {"transformed_examples": [str(self._folder)]}
        return NodeOutcome(node_id, NodeState.COMPLETE, 1, outputs | {"model_run": [""]})

    def _run_node(self, pipeline, node_id):
        self.said.append(node_id)
        return self._outcome(node_id)

    def _both(self, *node_ids):
        self.said.append(" beside ".join(node_ids))
        ends = {}
        for node_id in node_ids:
            try:
                ends[node_id] = NodeEnd(self._outcome(node_id), None, 1.0)
            except ValueError as error:
                ends[node_id] = NodeEnd(None, error, 2.0)
        return ends

    def run(self):
        feature = SimpleNamespace(hash_buckets=self.hashed)
        contract = SimpleNamespace(features={"item": feature}, crosses={})
        data = SimpleNamespace(span=None)
        experiment = SimpleNamespace(contract=contract, data=data)
        journal = SimpleNamespace(
            run_id="1",
            node=lambda nodes, running=None: running and self.said.append(f"at {running}"),
        )
        RunNodes(None, experiment, self.nodes, lambda node: None, journal).run()


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setattr(run_nodes, "_rows", lambda node_id, outputs: (None, None))
    return Run(monkeypatch, tmp_path)


def _states(run):
    return {node.node_id: node.state for node in run.nodes}


def test_two_small_trainings_run_beside_each_other_and_all_else_in_order(run):
    run.run()
    assert [line for line in run.said if not line.startswith("at ")] == [
        "forked for ReferenceTrainer", "LogExampleGen", "Transform",
        "ReferenceTrainer beside Trainer", "ended", "Report",
    ]  # fmt: skip
    assert "at ReferenceTrainer and Trainer" in run.said
    assert list(_states(run)) == NODES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", 2**30),
        ("memory", None),
        ("hashed", 2_000_000),
        ("size", run_nodes.MOST_BYTES + 1),
    ],
)
def test_without_room_for_both_they_run_one_after_the_other(run, name, value):
    setattr(run, name, value)
    run.run()
    assert [line for line in run.said if not line.startswith("at ")] == [
        "forked for ReferenceTrainer", "LogExampleGen", "Transform",
        "ReferenceTrainer", "Trainer", "ended", "Report",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("failing", "states"),
    [
        (["ReferenceTrainer"], {"Trainer": "complete", "ReferenceTrainer": "failed"}),
        (["Trainer"], {"ReferenceTrainer": "complete", "Trainer": "failed"}),
        (["ReferenceTrainer", "Trainer"], {"ReferenceTrainer": "failed"}),
    ],
)
def test_the_first_that_failed_is_the_last_node_of_the_run(run, failing, states):
    run.failing = {node_id: ValueError(f"{node_id} is broken") for node_id in failing}
    with pytest.raises(ValueError, match=f"{failing[0]} is broken"):
        run.run()
    expected = {"LogExampleGen": "complete", "Transform": "complete", **states}
    assert list(_states(run).items()) == list(expected.items())
    assert run.said[-1] == "ended"


def test_nothing_is_forked_where_tensorflow_has_threads_or_nobody_else_a_processor(
    run, monkeypatch
):
    for name, value in (("has_begun", True), ("is_for_two", False)):
        with monkeypatch.context() as patch:
            patch.setattr(run_nodes, name, lambda value=value: value)
            run.said.clear()
            run.run()
            assert run.said.count("ended") == run.said.count("forked for ReferenceTrainer") == 0
            assert "at ReferenceTrainer and Trainer" not in run.said


def test_a_machine_is_for_two_by_its_processors_without_a_card(monkeypatch, tmp_path):
    monkeypatch.setattr(run_nodes, "_GPU_FILES", (f"{tmp_path}/card[0-9]",))
    monkeypatch.setattr(run_nodes.os, "sched_getaffinity", lambda process: {0, 1})
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert run_nodes.is_for_two()
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert not run_nodes.is_for_two()
    monkeypatch.delenv("TF_CONFIG")
    (tmp_path / "card0").touch()
    assert not run_nodes.is_for_two()
    (tmp_path / "card0").unlink()
    monkeypatch.setattr(run_nodes.os, "sched_getaffinity", lambda process: {0})
    assert not run_nodes.is_for_two()


def test_tensorflow_has_begun_once_it_has_made_a_tensor():
    tf.constant(1)
    assert run_nodes.has_begun()
