import threading

import pytest
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto.orchestration import execution_result_pb2
from tfx.proto.orchestration.executable_spec_pb2 import PythonClassExecutableSpec
from tfx.types import standard_artifacts

from mtlx.pipeline.run.nodes.two_nodes import TwoNodes


class Meets(base_executor.BaseExecutor):
    """Ends once two of it are at work, and says of its output in which thread it was."""

    both = threading.Barrier(2, timeout=20)
    fails = ()

    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802 (TFX's name)
        Meets.both.wait()
        if exec_properties["name"] in Meets.fails:
            raise ValueError(f"{exec_properties['name']} is broken")
        (model,) = output_dict["model"]
        model.set_string_custom_property("thread", threading.current_thread().name)


class Second:
    """A second process that is none: another thread."""

    def call(self, function, *arguments):
        ends = []

        def work():
            try:
                ends.append((function(*arguments), None))
            except ValueError as error:
                ends.append((None, error))

        thread = threading.Thread(target=work, name="elsewhere")
        thread.start()
        thread.join()
        ((value, error),) = ends
        if error is not None:
            raise error
        return value


class Nodes:
    """What TFX's launcher does around an executor, which no two nodes may do at once."""

    def __init__(self, folder, cached=()):
        self._folder, self._cached = folder, cached
        self.began, self._at_work = [], threading.Lock()

    def run(self, node_id, operators):
        with self._alone():
            self.began.append(node_id)
        if node_id in self._cached:
            return "cached"
        spec = PythonClassExecutableSpec(class_path=f"{__name__}.Meets")
        operator = operators[PythonClassExecutableSpec](executor_spec=spec, platform_config=None)
        model: types.Artifact = standard_artifacts.Model()
        model.uri = str(self._folder / node_id)
        info = ExecutionInfo(
            execution_id=1,
            output_dict={"model": [model]},
            exec_properties={"name": node_id},
            execution_output_uri=str(self._folder / f"{node_id}.output"),
        )
        made = operator.run_executor(info)
        assert isinstance(made, execution_result_pb2.ExecutorOutput)
        with self._alone():
            (artifact,) = made.output_artifacts["model"].artifacts
            return artifact.custom_properties["thread"].string_value

    def _alone(self):
        assert self._at_work.acquire(blocking=False)
        lock = self._at_work

        class Held:
            def __enter__(self):
                threading.Event().wait(0.05)

            def __exit__(self, *error):
                lock.release()

        return Held()


def test_both_executors_work_at_once_and_all_else_one_after_the_other(tmp_path):
    nodes = Nodes(tmp_path)
    ends = TwoNodes(Second(), nodes.run).run("first", "other")
    assert nodes.began == ["first", "other"]
    assert {node_id: end.error for node_id, end in ends.items()} == {"first": None, "other": None}
    here = threading.current_thread().name
    assert {node_id: end.outcome for node_id, end in ends.items()} == {
        "first": "elsewhere",
        "other": here,
    }
    assert all(end.seconds > 0 for end in ends.values())


@pytest.mark.parametrize("broken", [["first"], ["other"], ["first", "other"]])
def test_one_that_fails_leaves_the_other_to_its_end(tmp_path, monkeypatch, broken):
    monkeypatch.setattr(Meets, "fails", broken)
    ends = TwoNodes(Second(), Nodes(tmp_path).run).run("first", "other")
    found = {node_id: str(end.error) for node_id, end in ends.items() if end.error is not None}
    assert found == {node_id: f"{node_id} is broken" for node_id in broken}
    assert all((end.outcome is None) == (node_id in broken) for node_id, end in ends.items())


def test_one_that_comes_from_the_cache_keeps_nobody_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(Meets, "both", threading.Barrier(1))
    ends = TwoNodes(Second(), Nodes(tmp_path, cached=["first"]).run).run("first", "other")
    assert ends["first"].outcome == "cached"
    assert ends["other"].outcome == threading.current_thread().name
