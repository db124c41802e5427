"""Which spans a model was made of, and what SpanWindow finds: in a store of ML-Metadata."""

import json

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types import standard_artifacts

from mtlx.components.lineage import model_lineage
from mtlx.components.relaimp_gate.seen.seen_by_models import SeenBy, seen_by_models
from mtlx.pipeline.graph.resolvers.span_window import SpanWindowStrategy, span_run_id
from mtlx.pipeline.graph.resolvers.spans_of_model import ModelSpans, spans_of
from mtlx.pipeline.run.record.spans_of_run import spans_of_run

_PROTO = metadata_store_pb2


@pytest.fixture
def store(tmp_path):
    config = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    return ml_metadata.MetadataStore(config)


class History:
    """Nodes that ran, by what they took and gave."""

    def __init__(self, store):
        self.store = store
        self._run = store.put_context_type(_PROTO.ContextType(name="pipeline_run"))

    def artifact(self, kind=standard_artifacts.Examples, span=None):
        made = kind()
        made.uri = "/somewhere"
        if span is not None and kind is standard_artifacts.Examples:
            made.set_int_custom_property("span", span)
        elif span is not None:
            made.span = span
        type_id = self.store.put_artifact_type(made.artifact_type)
        made.mlmd_artifact.type_id = type_id
        (number,) = self.store.put_artifacts([made.mlmd_artifact])
        return number

    def node(self, name, run=None, state="COMPLETE", given=(), **taken):
        """A node that took artifacts by the names of its inputs and gave others by name."""
        kind = self.store.put_execution_type(_PROTO.ExecutionType(name=f"mtlx.{name}"))
        states = _PROTO.Execution.State
        made = _PROTO.Execution(type_id=kind, last_known_state=states.Value(state))
        (number,) = self.store.put_executions([made])
        if run is not None:
            context = self.store.get_context_by_type_and_name("pipeline_run", run)
            if context is None:
                (own,) = self.store.put_contexts([_PROTO.Context(type_id=self._run, name=run)])
            else:
                own = context.id
            self.store.put_attributions_and_associations(
                [], [_PROTO.Association(context_id=own, execution_id=number)]
            )
        events = [(one, key, _PROTO.Event.INPUT) for key, some in taken.items() for one in some]
        events += [(one, key, _PROTO.Event.OUTPUT) for key, one in given]
        for artifact, key, direction in events:
            event = _PROTO.Event(artifact_id=artifact, execution_id=number, type=direction)
            event.path.steps.add().key = key
            self.store.put_events([event])
        return number

    def trained(self, spans, base=()):
        """A model of some raw examples."""
        transformed, model = self.artifact(), self.artifact(standard_artifacts.Model)
        self.node("Transform", examples=spans, given=[("transformed_examples", transformed)])
        bases = {"base_model": base} if base else {}
        self.node("Trainer", examples=[transformed], given=[("model", model)], **bases)
        return model

    def read(self, span, run=None, state="COMPLETE"):
        """Examples and statistics of a span."""
        raw = self.artifact(span=span)
        described = self.artifact(standard_artifacts.ExampleStatistics, span)
        self.node("LogExampleGen", run, state, given=[("examples", raw)])
        self.node("StatisticsGen", run, state, examples=[raw], given=[("statistics", described)])
        return raw, described


@pytest.fixture
def history(store):
    return History(store)


def test_spans_are_those_of_the_raw_examples(store, history):
    raw = {span: history.read(span)[0] for span in (7, 8, 9, 10)}
    model = history.trained([raw[9], raw[7], raw[8]])
    history.node("SliceEvaluation", candidate=[model], examples=[raw[10]])
    # The gate takes the model beside the examples that train.
    history.node("RelaImpGate", model=[model], examples=[raw[7]], test_examples=[raw[10]])
    assert spans_of(store, model) == ModelSpans((7, 8, 9), (10,))


def test_a_model_that_was_not_evaluated_has_no_test_spans(store, history):
    raw, _ = history.read(3)
    assert spans_of(store, history.trained([raw])) == ModelSpans((3,))
    unknown = history.artifact(standard_artifacts.Model)
    assert spans_of(store, unknown) == ModelSpans()


def test_as_a_baseline_a_model_is_not_tested(store, history):
    first, second = history.read(3)[0], history.read(4)[0]
    model, later = history.trained([first]), history.trained([first])
    history.node("SliceEvaluation", candidate=[model], examples=[first])
    history.node("SliceEvaluation", candidate=[later], baseline=[model], examples=[second])
    assert spans_of(store, model).test == (3,)
    assert spans_of(store, later).test == (4,)


def test_the_last_evaluation_counts_and_the_stock_one_too(store, history):
    first, second = history.read(3)[0], history.read(4)[0]
    model = history.trained([first])
    history.node("SliceEvaluation", candidate=[model], examples=[first])
    history.node("Evaluator", model=[model], examples=[second])
    assert model_lineage.tested_on(store, model) == [second]


def test_spans_of_models_before_are_told_apart(store, history):
    raw = [history.read(span)[0] for span in range(5)]
    first = history.trained(raw[:2])
    second = history.trained(raw[2:3], [first])
    third = history.trained(raw[1:4], [second])
    spans = spans_of(store, third)
    assert (spans.train, spans.before, spans.seen) == ((1, 2, 3), (0,), (0, 1, 2, 3))


def test_a_run_has_the_spans_of_its_own_training_and_those_before(store, history):
    raw = [history.read(span)[0] for span in range(4)]
    model = history.trained(raw[1:2], [history.trained(raw[:1])])
    history.node("SliceEvaluation", candidate=[model], examples=raw[3:])
    uri = f"/models/{model}"
    (made,) = store.get_artifacts_by_id([model])
    made.uri = uri
    store.put_artifacts([made])
    outputs = {"SpanWindow": {"train_examples": []}, "Trainer": {"model": [uri]}}
    expected = {"train": [1], "test": [3], "before": [0], "days": False}
    assert spans_of_run(store, outputs, ["/logs/{SPAN}/*.csv"]) == expected


def test_the_gate_is_told_what_trained_and_what_tested(store, history):
    raw = [history.read(span)[0] for span in range(4)]
    model = history.trained(raw[:3])
    history.node("SliceEvaluation", candidate=[model], examples=raw[3:])
    for windowed in (True, False):
        text = seen_by_models(store, {"baseline": model, "served": model}, windowed)
        told = json.loads(text)["seen"]
        assert told == {str(model): {"trained": raw[:3], "tested": raw[3:] * windowed}}
        seen = SeenBy(text)
        assert seen.of("baseline") is seen.of("served") and seen.of("anchor") is None


def _resolved(store, raw, described, train=2, test=1):
    examples, statistics = standard_artifacts.Examples(), standard_artifacts.ExampleStatistics()
    examples.id, statistics.id = raw, described
    examples.set_int_custom_property(
        "span", store.get_artifacts_by_id([raw])[0].custom_properties["span"].int_value
    )
    inputs = {"train_examples": [examples], "test_examples": [examples]}
    inputs |= {"train_statistics": [statistics], "test_statistics": [statistics]}
    found = SpanWindowStrategy(train, test, "refuse").resolve_artifacts(store, inputs)
    return found and {key: [one.id for one in some] for key, some in found.items()}


def test_the_window_is_what_the_run_saw_to(store, history):
    days = {day: history.read(day, span_run_id("run", day)) for day in (3, 2)}
    days[4] = history.read(4, "run")
    # Of another run with other settings, and one that failed.
    history.read(2, span_run_id("other", 2))
    history.read(3, span_run_id("run", 3), "FAILED")
    found = _resolved(store, *days[4])
    assert found == {
        "train_examples": [days[2][0], days[3][0]],
        "test_examples": [days[4][0]],
        "train_statistics": [days[2][1], days[3][1]],
        "test_statistics": [days[4][1]],
    }
    assert _resolved(store, *days[4], train=1, test=2)["test_examples"] == [days[3][0], days[4][0]]


def test_what_changed_and_changed_back_is_found_as_it_is_now(store, history):
    """The latest artifact of a span is not that of today's files; the cache knows which is."""
    old, described = history.read(2, span_run_id("first", 2))
    history.read(2, span_run_id("second", 2))
    run = span_run_id("third", 2)
    history.node("LogExampleGen", run, "CACHED", given=[("examples", old)])
    history.node("StatisticsGen", run, "CACHED", given=[("statistics", described)])
    newest = history.read(3, "third")
    found = _resolved(store, *newest, train=1)
    assert (found["train_examples"], found["train_statistics"]) == ([old], [described])


def test_a_gap_is_left_out_and_nothing_to_train_on_is_no_window(store, history):
    first = history.read(1, span_run_id("run", 1))
    newest = history.read(4, "run")
    assert _resolved(store, *newest, train=3)["train_examples"] == [first[0]]
    assert _resolved(store, *newest, train=2) is None
