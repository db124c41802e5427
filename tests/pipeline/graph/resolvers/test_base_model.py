"""The base model of a run: never its own candidate, the same when the run is repeated."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types import standard_artifacts

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.graph.resolvers.base_model import BaseModelStrategy

_EVENT = metadata_store_pb2.Event


class _Days:
    """A metadata store with the runs of days, as the pipeline leaves them."""

    def __init__(self, path):
        config = sqlite_metadata_connection_config(str(path))
        self.store = ml_metadata.MetadataStore(config)
        self._types = {
            name: self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
            for name in ("Examples", "Model", "Schema")
        }
        kind = metadata_store_pb2.ExecutionType(name="Node")
        self._node = self.store.put_execution_type(kind)
        self._blessings = []
        self._models = []

    def artifact(self, kind, **properties):
        made = metadata_store_pb2.Artifact(type_id=self._types[kind])
        for name, value in properties.items():
            made.custom_properties[name].string_value = str(value)
        return self.store.put_artifacts([made])[0]

    def node(self, inputs, outputs, internal=False):
        """A node that reads and writes artifacts; a resolver's events are internal."""
        execution = metadata_store_pb2.Execution(type_id=self._node)
        (number,) = self.store.put_executions([execution])
        kinds = (_EVENT.INPUT, _EVENT.INTERNAL_OUTPUT if internal else _EVENT.OUTPUT)
        keys = {"Examples": "examples", "Schema": "schema", "Model": "base_model"}
        for artifacts, kind in zip((inputs, outputs), kinds, strict=True):
            for artifact in self.store.get_artifacts_by_id(artifacts) if artifacts else ():
                event = _EVENT(artifact_id=artifact.id, execution_id=number, type=kind)
                event.path.steps.add().key = keys[artifact.type]
                self.store.put_events([event])

    def examples(self, span=0, files="f"):
        raw = self.artifact("Examples", span=span, input_fingerprint=files)
        self.node([], [raw])
        return raw

    def train(self, raw, base=None, blessed=True):
        """Transform and Trainer of a run on raw examples; returns the model."""
        schema, transformed = self.artifact("Schema"), self.artifact("Examples")
        bases = [] if base is None else [base]
        # What the resolver found comes out of a node that read the examples.
        self.node(raw, bases, internal=True)
        self.node(raw, [schema])
        self.node([*raw, schema], [transformed])
        model = self.artifact("Model")
        self.node([transformed, schema, *bases], [model])
        self._models.append(model)
        if blessed:
            blessing = standard_artifacts.ModelBlessing()
            blessing.set_int_custom_property("current_model_id", model)
            blessing.set_int_custom_property("blessed", 1)
            self._blessings.append(blessing)
        return model

    def base(self, raw):
        """What a run on raw examples would begin with; None for random weights."""

        def artifacts(kind, numbers):
            found = [kind() for _ in numbers]
            for artifact, number in zip(found, numbers, strict=True):
                artifact.id = number
            return found

        inputs = {
            "model": artifacts(standard_artifacts.Model, self._models),
            "model_blessing": self._blessings,
            "examples": artifacts(standard_artifacts.Examples, raw),
        }
        found = BaseModelStrategy().resolve_artifacts(self.store, inputs)
        assert [one.id for one in found["examples"]] == raw
        assert len(found["model"]) == len(found["model_blessing"])
        return found["model"][0].id if found["model"] else None


@pytest.fixture
def days(tmp_path):
    return _Days(tmp_path / "metadata.sqlite")


def test_the_first_day_begins_with_nothing_however_often_it_is_run(days):
    monday = days.examples(1)
    assert days.base([monday]) is None
    days.train([monday])
    assert days.base([monday]) is None


def test_every_day_begins_with_the_day_before_and_again_when_it_is_repeated(days):
    raw = [days.examples(span, f"day {span}") for span in (1, 2, 3)]
    models = []
    for one in raw:
        assert days.base([one]) == (models[-1] if models else None)
        models.append(days.train([one], base=models[-1] if models else None))
    assert [days.base([one]) for one in raw] == [None, *models[:2]]


def test_a_day_that_was_not_blessed_is_passed_by(days):
    first = days.train([days.examples(1)])
    days.train([days.examples(2)], blessed=False)
    assert days.base([days.examples(3)]) == first


def test_an_older_day_that_is_run_late_does_not_begin_with_a_later_one(days):
    first = days.train([days.examples(1)])
    days.train([days.examples(5)], base=first)
    assert days.base([days.examples(3)]) == first


def test_a_day_that_is_read_anew_does_not_begin_with_its_own_model(days):
    first = days.train([days.examples(1)])
    days.train([days.examples(2, "as it was")], base=first)
    assert days.base([days.examples(2, "with late rows")]) == first


def test_windows_begin_with_the_window_before(days):
    spans = [days.examples(span) for span in range(1, 6)]
    first = days.train(spans[:3])
    second = days.train(spans[1:4], base=first)
    assert days.base(spans[2:5]) == second
    days.train(spans[2:5], base=second)
    assert days.base(spans[2:5]) == second
    assert days.base(spans[1:4]) == first


def test_without_spans_other_files_are_another_day(days):
    first = days.train([days.examples(0, "old files")])
    assert days.base([days.examples(0, "new files")]) == first
    assert days.base([days.examples(0, "old files")]) is None  # read anew, without the cache


EXPERIMENT = """\
name: small
data: {{reader: csv, path: logs/*.csv, split: {{by: row, train: 0.8, validation: 0.1, test: 0.1}}}}
features:
  item: {{kind: categorical}}
tasks:
  click: {{label: click}}
model: {{network: mmoe}}
training: {training}
transform: {transform}
gate: {{baseline: reference, reference: {{network: ple}}}}
"""


def _nodes(tmp_path, training, transform="{}"):
    path = tmp_path / "x.yaml"
    text = EXPERIMENT.format(training=training, transform=transform)
    path.write_text(text, encoding="utf-8")
    pipeline = create_pipeline(read_experiment(path).anchored(), str(tmp_path / "root"))
    return {node.id: node for node in pipeline.components}


def test_without_warm_start_there_is_no_such_node(tmp_path):
    nodes = _nodes(tmp_path, "{}")
    assert "BaseModel" not in nodes
    assert "base_model" not in nodes["Trainer"].inputs


def test_the_candidate_alone_begins_with_it(tmp_path):
    nodes = _nodes(tmp_path, "{warm_start: latest_blessed}")
    assert nodes["Trainer"].inputs["base_model"] is nodes["BaseModel"].outputs["model"]
    assert "base_model" not in nodes["ReferenceTrainer"].inputs
    assert "base_model" not in nodes["Transform"].inputs


def test_before_the_first_model_is_blessed_its_readers_run_without_it(tmp_path):
    path = tmp_path / "x.yaml"
    text = EXPERIMENT.format(
        training="{warm_start: latest_blessed}", transform="{reuse: base_model}"
    )
    path.write_text(text, encoding="utf-8")
    pipeline = create_pipeline(read_experiment(path).anchored(), str(tmp_path / "root"))
    pipeline.metadata_connection_config = sqlite_metadata_connection_config(str(tmp_path / "db"))
    nodes = {
        node.pipeline_node.node_info.id: node.pipeline_node.inputs.inputs
        for node in compiler.Compiler().compile(pipeline).nodes
    }
    for reader in ("Transform", "Trainer"):
        assert nodes[reader]["base_model"].min_count == 0, reader
        assert nodes[reader]["examples"].min_count == 1


def test_transform_reads_it_where_its_numbers_are_kept(tmp_path):
    start = "{warm_start: {from: latest_blessed, otherwise: initial}}"
    nodes = _nodes(tmp_path, start, "{reuse: base_model}")
    assert nodes["Transform"].inputs["base_model"] is nodes["BaseModel"].outputs["model"]
    assert nodes["Transform"].exec_properties["without_base_model"] == "initial"


def test_a_folder_is_imported_from_where_the_file_lies(tmp_path):
    nodes = _nodes(tmp_path, "{warm_start: models/7}")
    assert nodes["BaseModel"].exec_properties["artifact_uri"] == str(tmp_path / "models/7")
    assert nodes["Trainer"].inputs["base_model"] is nodes["BaseModel"].outputs["result"]
