"""What ML-Metadata tells of the examples that models have seen, and what is read of it."""

import json

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from mtlx.components.relaimp_gate.seen.seen_by_models import SeenBy, seen_by_models


@pytest.fixture
def store(tmp_path):
    config = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    return ml_metadata.MetadataStore(config)


class _Lineage:
    """Executions, each with the artifacts that went in and came out."""

    def __init__(self, store):
        self._store = store
        kind = metadata_store_pb2.ArtifactType(name="Thing")
        self._artifact_type = store.put_artifact_type(kind)
        run = metadata_store_pb2.ExecutionType(name="Node")
        self._execution_type = store.put_execution_type(run)

    def artifact(self):
        made = metadata_store_pb2.Artifact(type_id=self._artifact_type)
        (number,) = self._store.put_artifacts([made])
        return number

    def node(self, outputs=1, internal=False, **inputs):
        """Runs a node on artifacts by the names of its inputs; returns what it wrote."""
        run = metadata_store_pb2.Execution(type_id=self._execution_type)
        (execution,) = self._store.put_executions([run])
        written = [self.artifact() for _ in range(outputs)]
        kinds = metadata_store_pb2.Event
        into = kinds.INTERNAL_INPUT if internal else kinds.INPUT
        events = [(number, into, key) for key, some in inputs.items() for number in some]
        events += [(number, kinds.OUTPUT, "given") for number in written]
        for number, kind, key in events:
            event = kinds(artifact_id=number, execution_id=execution, type=kind)
            event.path.steps.add().key = key
            self._store.put_events([event])
        return written

    def resolver(self, **outputs):
        """A node that gives on, as its own, what others made."""
        run = metadata_store_pb2.Execution(type_id=self._execution_type)
        (execution,) = self._store.put_executions([run])
        kinds = metadata_store_pb2.Event
        for key, number in outputs.items():
            for kind in (kinds.INTERNAL_INPUT, kinds.INTERNAL_OUTPUT):
                event = kinds(artifact_id=number, execution_id=execution, type=kind)
                event.path.steps.add().key = key
                self._store.put_events([event])


@pytest.fixture
def lineage(store):
    return _Lineage(store)


def _examples_of(store, model):
    told = json.loads(seen_by_models(store, {"baseline": model}, windowed=True))
    return told["seen"][str(model)]["trained"]


def _trained(lineage, raw, base=None):
    """The usual chain: statistics, schema, transformed examples, model. Returns examples, model."""
    (statistics,) = lineage.node(examples=[raw])
    (schema,) = lineage.node(statistics=[statistics])
    bases = [] if base is None else [base]
    graph, transformed = lineage.node(2, examples=[raw], schema=[schema], base_model=bases)
    (model,) = lineage.node(
        examples=[transformed], transform_graph=[graph], schema=[schema], base_model=bases
    )
    return transformed, model


def test_raw_examples_are_found_behind_transformed_ones(store, lineage):
    first, second = lineage.node()[0], lineage.node()[0]
    _, model = _trained(lineage, second)
    _, other = _trained(lineage, first)
    assert _examples_of(store, model) == [second]
    assert _examples_of(store, other) == [first]


def test_what_a_resolver_gives_on_was_made_by_others(store, lineage):
    (raw,) = lineage.node()
    lineage.resolver(examples=raw)
    (model,) = lineage.node(internal=True, examples=[raw])
    assert _examples_of(store, model) == [raw]


def test_a_model_that_went_on_from_others_has_seen_what_they_saw(store, lineage):
    raw = [lineage.node()[0] for _ in range(3)]
    _, first = _trained(lineage, raw[0])
    _, second = _trained(lineage, raw[1], first)
    _, model = _trained(lineage, raw[2], second)
    assert _examples_of(store, model) == raw
    assert _examples_of(store, second) == raw[:2]


def test_of_an_imported_model_nothing_is_known(store, lineage):
    imported = lineage.artifact()
    assert _examples_of(store, imported) == []  # no execution wrote it
    assert SeenBy(seen_by_models(store, {"served": imported}, False)).of("served") is None
    assert SeenBy(None).of("baseline") is None


def test_a_circle_of_events_ends(store, lineage):
    """As a store may hold that was merged or mended by hand."""
    (one,) = lineage.node()
    (model,) = lineage.node(examples=[one])
    execution = store.get_events_by_artifact_ids([one])[0].execution_id
    event = metadata_store_pb2.Event(
        artifact_id=model, execution_id=execution, type=metadata_store_pb2.Event.INPUT
    )
    event.path.steps.add().key = "examples"
    store.put_events([event])
    assert _examples_of(store, model) == []
