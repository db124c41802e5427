"""What is bridged between the stacks of libraries, and that no other file asks for a version."""

import os
import re
import socket
import subprocess
import urllib.request
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import StandardOptions
from kfp import kubernetes
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.portable.mlmd import execution_lib

from mtlx.kubeflow.task.health_check import NothingToDo
from mtlx.pipeline.process import stack
from mtlx.pipeline.run import node_run

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("folder", ["transform", "trainer", "components", "pipeline", "kubeflow"])
def test_no_other_file_asks_for_a_version(folder):
    asks = re.compile(
        r"__version__|version_info|packaging\.version|\.version\.Version|VERSION\s*[<>]"
    )
    for path in (ROOT / folder).rglob("*.py"):
        if path != ROOT / "pipeline/process/stack.py":
            assert not asks.search(path.read_text(encoding="utf-8")), path


@pytest.fixture
def no_way_out(monkeypatch):
    """Calls that leave this process; Beam catches what they raise, so they are counted."""
    calls = []
    for owner, name in (
        (socket.socket, "connect"),
        (subprocess, "Popen"),
        (urllib.request, "urlopen"),
    ):

        def refuse(*arguments, name=name, **_):
            calls.append((name, arguments[1:]))
            raise OSError(name)

        monkeypatch.setattr(owner, name, refuse)
    return calls


def _note(number, path):
    path.write_text(f"{number} in {os.getpid()}", encoding="utf-8")


def test_beam_runs_in_this_process(monkeypatch, no_way_out, tmp_path):
    monkeypatch.setattr(StandardOptions, "DEFAULT_RUNNER", "DirectRunner")
    stack.run_beam_in_process()
    with beam.Pipeline() as pipeline:
        numbers = pipeline | beam.Create([1, 2, 3])
        _ = numbers | beam.CombineGlobally(sum) | beam.Map(_note, tmp_path / "note")
    assert (tmp_path / "note").read_text(encoding="utf-8") == f"6 in {os.getpid()}"
    assert no_way_out == []


def _run(folder, run_id, node_id="NothingToDo", text="done"):
    connection = metadata.sqlite_metadata_connection_config(f"{folder}/metadata.sqlite")
    compiled = compiler.Compiler().compile(
        tfx_pipeline.Pipeline(
            pipeline_name="small",
            pipeline_root=f"{folder}/artifacts",
            components=[NothingToDo(text=text).with_id(node_id)],
            enable_cache=True,
            metadata_connection_config=connection,
        )
    )
    node_run.bind_parameters(compiled, run_id)
    return node_run.run_node(compiled, node_id)


def test_a_node_runs_with_all_that_is_bridged(tmp_path, monkeypatch):
    monkeypatch.setattr(StandardOptions, "DEFAULT_RUNNER", "DirectRunner")
    monkeypatch.setattr(execution_lib, "get_executions_associated_with_all_contexts", None)
    assert _run(tmp_path, "one").state is node_run.NodeState.COMPLETE
    assert StandardOptions.DEFAULT_RUNNER.endswith("FnApiRunner")


@pytest.mark.parametrize(
    ("node_id", "then"),
    [
        ("Transform", node_run.NodeState.COMPLETE),
        ("Trainer", node_run.NodeState.COMPLETE),
        ("ReferenceTrainer", node_run.NodeState.COMPLETE),
        ("StatisticsGen", node_run.NodeState.CACHED),
    ],
)
def test_what_other_libraries_made_is_not_taken_from_the_cache(
    tmp_path, monkeypatch, node_id, then
):
    assert _run(tmp_path, "one", node_id).state is node_run.NodeState.COMPLETE
    assert _run(tmp_path, "two", node_id).state is node_run.NodeState.CACHED
    monkeypatch.setattr(stack, "libraries", lambda: "tensorflow 9.9.9")
    assert _run(tmp_path, "three", node_id).state is then


def test_an_execution_says_with_which_libraries_it_ran(tmp_path):
    outcome = _run(tmp_path, "one", "Trainer")
    connection = metadata.sqlite_metadata_connection_config(f"{tmp_path}/metadata.sqlite")
    with metadata.Metadata(connection) as handle:
        (execution,) = handle.store.get_executions_by_id([outcome.execution_id])
    text = execution.custom_properties["libraries"].string_value
    assert text == stack.libraries() and re.search(r"tensorflow \d+\.\d+\.\d+", text)


@pytest.fixture
def store_of_many_runs():
    """A metadata store of 60 runs with two nodes each, and its contexts by name."""
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    with metadata.Metadata(config) as handle:
        store = handle.store
        kinds = {
            kind: store.put_context_type(metadata_store_pb2.ContextType(name=kind))
            for kind in ("pipeline", "pipeline_run", "node")
        }
        executed = store.put_execution_type(metadata_store_pb2.ExecutionType(name="work"))
        contexts = {}

        def context(kind, name):
            if name not in contexts:
                made = metadata_store_pb2.Context(type_id=kinds[kind], name=name)
                (made.id,) = store.put_contexts([made])
                contexts[name] = made
            return contexts[name]

        for run in range(60):
            for node in ("a", "b"):
                of = [context("pipeline", "p"), context("pipeline_run", f"run-{run}")]
                of.append(context("node", f"p.{node}"))
                execution = metadata_store_pb2.Execution(type_id=executed)
                store.put_execution(execution, [], of)
        yield handle, contexts


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("p", "run-0", "p.a"), [1]),
        (("p", "run-59", "p.b"), [120]),
        (("p", "p.b"), list(range(2, 121, 2))),
        (("p",), list(range(1, 121))),
    ],
)
def test_executions_of_all_contexts_are_found(store_of_many_runs, names, expected):
    handle, contexts = store_of_many_runs
    found = stack._executions_of_all(handle, [contexts[name] for name in names])
    assert [one.id for one in found] == expected


def test_only_the_executions_of_the_run_are_read(store_of_many_runs, monkeypatch):
    handle, contexts = store_of_many_runs
    read = []
    real = handle.store.get_executions_by_context

    def counted(context_id):
        read.extend(found := real(context_id))
        return found

    monkeypatch.setattr(handle.store, "get_executions_by_context", counted)
    wanted = [contexts[name] for name in ("p", "run-59", "p.a")]
    assert [one.id for one in stack._executions_of_all(handle, wanted)] == [119]
    assert len(read) == 2


class _Kfp:
    """What kfp.kubernetes has of it since 2.17."""

    def __init__(self):
        self.given = None

    def __call__(self, task, **given):
        self.given = given


def test_a_task_is_not_roots_where_kfp_can_say_so(monkeypatch):
    said = _Kfp()
    monkeypatch.setattr(kubernetes, "set_security_context", said, raising=False)
    stack.run_without_root(object(), 10001)
    assert said.given == {"run_as_group": 10001, "run_as_non_root": True}
    monkeypatch.delattr(kubernetes, "set_security_context")
    stack.run_without_root(object(), 10001)
