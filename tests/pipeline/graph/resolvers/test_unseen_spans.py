"""Which spans an incremental training reads: those that its base model has not seen."""

import ml_metadata
import pytest
import yaml
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.graph.resolvers.base_model import BaseModelStrategy
from mtlx.trainer.settings import TrainingSettings
from tests.pipeline.replay.planted_days import write_experiment

_EVENT = metadata_store_pb2.Event
_KINDS = {"Examples": standard_artifacts.Examples, "Model": standard_artifacts.Model}


class _Days:
    """A metadata store with the days of a window of three spans, as incremental runs leave them."""

    def __init__(self, path):
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(path)
        config.sqlite.connection_mode = 3  # made if it is not there
        self._store = ml_metadata.MetadataStore(config)
        self._node = self._store.put_execution_type(metadata_store_pb2.ExecutionType(name="Node"))
        self._types = {
            name: self._store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
            for name in _KINDS
        }
        self._raw, self._models, self._blessings = {}, [], []

    def _artifact(self, kind, span=None):
        made = metadata_store_pb2.Artifact(type_id=self._types[kind])
        if span is not None:
            made.custom_properties["span"].int_value = span
        return self._store.put_artifacts([made])[0]

    def _run(self, output, **inputs):
        execution = metadata_store_pb2.Execution(type_id=self._node)
        (number,) = self._store.put_executions([execution])
        events = [(output, "output", _EVENT.OUTPUT)]
        events += [(one, key, _EVENT.INPUT) for key, some in inputs.items() for one in some]
        for artifact, key, kind in events:
            event = _EVENT(artifact_id=artifact, execution_id=number, type=kind)
            event.path.steps.add().key = key
            self._store.put_events([event])

    def raw(self, span, anew=False):
        """Examples of a span; read once, or anew."""
        if span not in self._raw or anew:
            self._raw[span] = self._artifact("Examples", span)
            self._run(self._raw[span])
        return self._raw[span]

    def resolve(self, test, every=0, width=3):
        """What the run that tests on a span begins with, and the spans that it trains on."""
        spans = {self.raw(span): span for span in range(max(1, test - width), test)}

        def artifacts(kind, numbers):
            found = [_KINDS[kind]() for _ in numbers]
            for artifact, number in zip(found, numbers, strict=True):
                artifact.id = number
            return found

        inputs = {
            "model": artifacts("Model", self._models),
            "model_blessing": self._blessings,
            "examples": artifacts("Examples", list(spans)),
        }
        strategy = BaseModelStrategy(unseen=True, every=every)
        found = strategy.resolve_artifacts(self._store, inputs)
        base = found["model"][0].id if found["model"] else None
        return base, [spans[one.id] for one in found["examples"]]

    def day(self, test, blessed=True, **settings):
        """Trains as that run does; returns the model, and the spans that it was trained on."""
        base, spans = self.resolve(test, **settings)
        transformed, model = self._artifact("Examples"), self._artifact("Model")
        self._run(transformed, examples=[self.raw(span) for span in spans])
        self._run(model, examples=[transformed], base_model=[base] if base else [])
        self._models.append(model)
        if blessed:
            blessing = standard_artifacts.ModelBlessing()
            blessing.set_int_custom_property("current_model_id", model)
            blessing.set_int_custom_property("blessed", 1)
            self._blessings.append(blessing)
        return model, spans


@pytest.fixture
def days(tmp_path):
    return _Days(tmp_path / "metadata.sqlite")


def test_a_day_trains_on_the_day_before_and_the_first_on_the_window(days):
    assert [days.day(test)[1] for test in (4, 5, 6, 7)] == [[1, 2, 3], [4], [5], [6]]


def test_a_day_that_was_not_blessed_is_made_up_for(days):
    first, _ = days.day(4)
    days.day(5, blessed=False)
    assert days.resolve(6) == (first, [4, 5])


def test_of_many_unseen_days_those_of_the_window_train(days):
    first, _ = days.day(4)
    assert days.resolve(10) == (first, [7, 8, 9])


def test_a_repeated_day_reads_the_same_spans_whatever_came_after(days):
    seen = [days.resolve(test) for test in (4, 5, 6) if days.day(test)]
    trained = {test: days.resolve(test) for test in (4, 5, 6)}
    assert [spans for _, spans in trained.values()] == [[1, 2, 3], [4], [5]]
    assert trained[6][0] != trained[5][0] is not None and trained[4][0] is None
    assert len(seen) == 3


def test_an_older_day_that_is_run_late_goes_on_from_an_older_model(days):
    first, _ = days.day(4)
    days.day(6)
    assert days.resolve(5) == (first, [4])
    days.day(5)
    # And the day that ran before it is repeated as it was.
    assert days.resolve(6) == (first, [4, 5])


def test_a_span_that_changed_is_not_learnt_twice(days):
    days.day(4)
    second, _ = days.day(5)
    days.raw(4, anew=True)
    assert days.resolve(6) == (second, [5])


def test_every_so_many_spans_the_window_trains_from_random_weights(days):
    found = [days.day(test, every=3)[1] for test in range(4, 12)]
    assert found == [[1, 2, 3], [4], [5], [4, 5, 6], [7], [8], [7, 8, 9], [10]]
    base, _ = days.resolve(7, every=3)
    assert base is None


def test_a_full_training_that_was_not_blessed_is_tried_again(days):
    for test in (4, 5, 6):
        days.day(test, every=3)
    days.day(7, blessed=False, every=3)
    assert days.resolve(8, every=3) == (None, [5, 6, 7])


def test_transform_and_trainer_read_what_the_resolver_gives(tmp_path):
    path = write_experiment(tmp_path)
    pipeline = create_pipeline(read_experiment(path).anchored(), str(tmp_path / "root"))
    nodes = {node.id: node for node in pipeline.components}
    unseen = nodes["BaseModel"].outputs["examples"]
    assert nodes["Transform"].inputs["examples"] is unseen
    assert nodes["Transform"].inputs["base_model"] is nodes["BaseModel"].outputs["model"]
    assert nodes["Transform"].exec_properties["grow_vocabularies"] == 1
    assert nodes["BaseModel"].exec_properties is not None
    assert (
        nodes["SchemaGen"].inputs["statistics"] is nodes["SpanWindow"].outputs["train_statistics"]
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"path": "/l/{SPAN}/*", "split": {"by": "row", "train": 0.8, "validation": 0.1, "test": 0.1}}},
         "spans is 'unseen', but data.window does not say"),
        ({"gate": {"baseline": "reference", "reference": {"network": "ple"}}},
         "gate.reference would be trained on those spans alone"),
        ({"training": {"warm_start": {"from": "/a/model", "spans": "unseen"}}},
         "spans: unseen needs from: latest_blessed"),
        ({"training": {"warm_start": {"from": "latest_blessed", "every": 7}}},
         "every is about spans: unseen"),
        ({"training": {"warm_start": {"from": "latest_blessed", "epochs": 2}}},
         "epochs is about spans: unseen"),
        ({"training": {"warm_start": {"from": "latest_blessed", "spans": "unseen", "otherwise": "initial"}}},
         "would train a model of a day alone"),
        ({"training": {"epochs": 0, "warm_start": "incremental"}}, "0 trains nothing"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(tmp_path, changes, words):
    path = write_experiment(tmp_path, **changes)
    with pytest.raises(ValueError, match=words):
        read_experiment(path)


@pytest.mark.parametrize("start", ["latest_blessed", "incremental", "/a/model"])
def test_the_trainer_reads_what_it_is_handed(start):
    """All settings, those with their defaults included."""
    training = TrainingSettings.read({"warm_start": start})
    assert TrainingSettings.from_json(training.to_json()) == training


def test_the_short_form_stands_for_the_usual_case(tmp_path):
    long = {"from": "latest_blessed", "spans": "unseen", "every": None, "epochs": 1}
    values = yaml.safe_load(write_experiment(tmp_path).read_text())["training"]
    found = []
    for start in ("incremental", long):
        path = write_experiment(tmp_path, training={**values, "warm_start": start})
        found.append(read_experiment(path).training.warm_start)
    assert found[0] == found[1] and found[0].incremental
