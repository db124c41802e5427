"""With which schema a run begins, in a store of ML-Metadata."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types import standard_artifacts

from mtlx.pipeline.graph.resolvers.blessed_schema import BlessedSchemaStrategy


@pytest.fixture
def store(tmp_path):
    config = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    return ml_metadata.MetadataStore(config)


class _Runs:
    """Runs of three nodes, each of which leaves statistics, a schema and a model."""

    def __init__(self, store):
        self._store = store
        kind = metadata_store_pb2.ArtifactType(name="Thing")
        self._artifact_type = store.put_artifact_type(kind)
        node = metadata_store_pb2.ExecutionType(name="Node")
        self._execution_type = store.put_execution_type(node)
        self.models, self.blessings, self.schemas = [], [], []

    def statistics(self):
        return self._artifact(standard_artifacts.ExampleStatistics)

    def run(self, statistics, blessed=True, schema=None):
        if schema is None:
            schema = self._artifact(standard_artifacts.Schema)
            self.schemas.append(schema)
            self._node([statistics], schema)
        model = self._artifact(standard_artifacts.Model)
        self._node([schema, self._artifact(standard_artifacts.TransformGraph)], model)
        self.models.append(model)
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("current_model_id", model.id)
        blessing.set_int_custom_property("blessed", int(blessed))
        self.blessings.append(blessing)
        return schema.id

    def begins_with(self, statistics):
        inputs = {
            "model": self.models,
            "model_blessing": self.blessings,
            "schema": self.schemas,
            "statistics": [statistics],
        }
        found = BlessedSchemaStrategy().resolve_artifacts(self._store, inputs)
        assert found["statistics"] == [statistics]
        return [schema.id for schema in found["schema"]]

    def _artifact(self, kind):
        made = kind()
        written = metadata_store_pb2.Artifact(type_id=self._artifact_type)
        (made.id,) = self._store.put_artifacts([written])
        return made

    def _node(self, inputs, output):
        run = metadata_store_pb2.Execution(type_id=self._execution_type)
        (execution,) = self._store.put_executions([run])
        kinds = metadata_store_pb2.Event
        events = [(one.id, kinds.INPUT) for one in inputs] + [(output.id, kinds.OUTPUT)]
        self._store.put_events(
            [
                kinds(execution_id=execution, artifact_id=number, type=kind)
                for number, kind in events
            ]
        )


def test_a_first_run_begins_with_none(store):
    runs = _Runs(store)
    assert runs.begins_with(runs.statistics()) == []


def test_the_schema_of_the_model_blessed_last_is_taken_and_no_later_one(store):
    runs = _Runs(store)
    first = runs.run(runs.statistics())
    second = runs.run(runs.statistics())
    runs.run(runs.statistics(), blessed=False)
    assert second != first
    assert runs.begins_with(runs.statistics()) == [second]


def test_the_same_data_begins_with_the_same_schema_every_time(store):
    runs = _Runs(store)
    first = runs.run(runs.statistics())
    today = runs.statistics()
    assert runs.begins_with(today) == [first]
    schema = runs.run(today)
    # Repeated, with another model, and after the next day.
    assert runs.begins_with(today) == [first]
    runs.run(today, schema=runs.schemas[-1])
    tomorrow = runs.statistics()
    assert runs.begins_with(tomorrow) == [schema]
    runs.run(tomorrow)
    assert runs.begins_with(today) == [first]


def test_a_model_without_a_schema_is_passed_over(store):
    runs = _Runs(store)
    first = runs.run(runs.statistics())
    runs.run(runs.statistics(), schema=runs.statistics())
    assert runs.begins_with(runs.statistics()) == [first]
