"""Which candidate is older than what serves, and what the driver of the gate and Pusher make of it."""

import json
from pathlib import Path

import pytest
from tfx.orchestration.portable import data_types
from tfx.types import standard_artifacts

from mtlx.components.model_pusher.executor import Executor
from mtlx.components.model_pusher.older_span import older_span
from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage, SpanNote
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.pushed_version import PushFailed
from mtlx.components.model_pusher.serving_folder.versions import Versions
from mtlx.components.relaimp_gate.driver import OLDER_THAN_SERVED, WITHDRAWN, Driver


@pytest.fixture
def serve(tmp_path, make_model):
    """Pushes a version of a given origin; returns the serving folder."""

    def function(lineage):
        push(make_model("served"), str(tmp_path / "serving"), order=PushOrder(lineage=lineage))
        return str(tmp_path / "serving")

    return function


def _tested(*spans, until=None):
    return PushLineage(tested_on=tuple(map(SpanNote, spans)), tested_until=until)


@pytest.mark.parametrize(
    ("candidate", "served", "is_older"),
    [
        (_tested(7), _tested(8), True),
        (_tested(8), _tested(8), False),
        (_tested(9), _tested(8), False),
        (_tested(5, 9), _tested(8), False),  # the newest of several counts
        (_tested(8), _tested(7, 9), True),
        (_tested(7), _tested(), False),
        (_tested(), _tested(8), False),
        (_tested(until=("t", 5.0)), _tested(until=("t", 6.0)), True),
        (_tested(until=("t", 6.0)), _tested(until=("t", 6.0)), False),
        (_tested(until=("t", "2026-01-02")), _tested(until=("t", "2026-01-10 00:00:00+01:00")), True),
        (_tested(until=("t", 5.0)), _tested(until=("other", 6.0)), False),
        (_tested(7), None, False),
    ],
)  # fmt: skip
def test_older_is_what_was_tested_on_an_older_span_or_time(serve, candidate, served, is_older):
    version = Versions(serve(served)).serving
    assert (older_span(candidate, version) is not None) == is_older


def test_before_the_first_push_nothing_is_older(tmp_path):
    assert older_span(_tested(7), Versions(str(tmp_path)).serving) is None


def _artifact(kind, uri, **properties):
    made = kind()
    made.uri = str(uri)
    for name, value in properties.items():
        made.set_int_custom_property(name, value)
    return made


def _driven(push_to, model, examples):
    info = data_types.ExecutionInfo(
        input_dict={"model": [model], "examples": examples},
        exec_properties={"push_to": push_to} if push_to else {},
    )
    found = Driver(None).run(info).exec_properties
    return found[OLDER_THAN_SERVED].string_value, found[WITHDRAWN].string_value


def test_the_gates_driver_asks_the_serving_folder(serve, tmp_path):
    base = serve(_tested(8))
    model = _artifact(standard_artifacts.Model, tmp_path)
    for span, older in ((7, True), (8, False)):
        examples = [_artifact(standard_artifacts.Examples, tmp_path, span=span)]
        words, withdrawn = _driven(base, model, examples)
        assert bool(words) == older and not withdrawn
        assert _driven(None, model, examples) == ("", "")
    withdrawn = _artifact(standard_artifacts.Model, tmp_path, withdrawn=1)
    assert "a roll back withdrew" in _driven(base, withdrawn, [])[1]
    back = _artifact(standard_artifacts.Model, tmp_path, withdrawn=0)
    assert _driven(base, back, []) == ("", "")


@pytest.fixture
def execute(tmp_path, make_model):
    """Pusher alone, after a gate that said yes."""
    candidate = Path(make_model("candidate/Format-Serving")).parent

    def function(base, span, allow=0, trained_on=(), **properties):
        inputs = {
            "model": [_artifact(standard_artifacts.Model, candidate, **properties)],
            "test_examples": [_artifact(standard_artifacts.Examples, tmp_path, span=span)],
            "train_examples": [
                _artifact(standard_artifacts.Examples, tmp_path, span=one) for one in trained_on
            ],
        }
        pushed = _artifact(standard_artifacts.PushedModel, tmp_path / "pushed")
        destination = json.dumps({"filesystem": {"base_directory": base}})
        given = {"push_destination": destination, "allow_older_span": allow}
        Executor().Do(inputs, {"pushed_model": [pushed]}, given)
        return Versions(base).serving

    return function


def test_pusher_looks_once_more_when_it_pushes(execute, serve):
    """Another run may have pushed since the gate's decision; and the stock gate does not ask."""
    base = serve(_tested(8))
    with pytest.raises(PushFailed, match="span 7, older than the span 8 on which version 1"):
        execute(base, 7)
    assert Versions(base).serving.number == 1
    asked = execute(base, 7, allow=1)
    assert (asked.number, asked.record.lineage.tested_on) == (2, (SpanNote(7),))


def test_a_newer_span_is_pushed_with_its_origin(execute, serve):
    base = serve(_tested(8))
    assert execute(base, 9, trained_on=(8, 6, 7)).record.lineage.spans == "6-8 → 9"


def test_pusher_takes_no_withdrawn_model(execute, serve):
    base = serve(_tested(8))
    with pytest.raises(PushFailed, match="a model that a roll back withdrew"):
        execute(base, 9, withdrawn=1)
    assert Versions(base).serving.number == 1
