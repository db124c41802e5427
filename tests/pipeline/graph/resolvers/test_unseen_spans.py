"""Which spans an incremental training reads: those that its base model has not seen."""

from typing import ClassVar

import ml_metadata
import pytest
import yaml
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types import standard_artifacts

from mtlx.components.lineage.labels_left_out import (
    LABELS_PROPERTY,
    LabelUse,
    labels_left_out,
    learnt_labels,
)
from mtlx.components.one_pass_transform.driver import Driver
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.graph.resolvers.base_model import BaseModelStrategy
from mtlx.trainer.settings import TrainingSettings
from mtlx.transform.contract.data_contract import DataContract
from tests.pipeline.replay.planted_days import write_experiment

_EVENT = metadata_store_pb2.Event
_KINDS = {"Examples": standard_artifacts.Examples, "Model": standard_artifacts.Model}


class _Days:
    """A metadata store with the days of a window of three spans, as incremental runs leave them."""

    def __init__(self, path):
        config = sqlite_metadata_connection_config(str(path))
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
            "newest_examples": artifacts("Examples", [self.raw(test)]),
        }
        found = self.strategy(every).resolve_artifacts(self._store, inputs)
        base = found["model"][0].id if found["model"] else None
        return base, [spans[one.id] for one in found["examples"]]

    def strategy(self, every):
        return BaseModelStrategy(unseen=True, every=every)

    def transformed(self, test, base, spans):
        """What Transform writes."""
        return self._artifact("Examples")

    def day(self, test, blessed=True, **settings):
        """Trains as that run does; returns the model, and the spans that it was trained on."""
        base, spans = self.resolve(test, **settings)
        transformed, model = self.transformed(test, base, spans), self._artifact("Model")
        self._run(transformed, examples=[self.raw(span) for span in spans])
        self._run(model, examples=[transformed], base_model=[base] if base else [])
        self._models.append(model)
        if blessed:
            blessing = standard_artifacts.ModelBlessing()
            blessing.set_int_custom_property("current_model_id", model)
            blessing.set_int_custom_property("blessed", 1)
            self._blessings.append(blessing)
        return model, spans


class _LateDays(_Days):
    """Days on which purchases are known so many spans later.

    Transform is left out here, and with it its driver: what it finds is noted as it does.
    """

    contract = DataContract.read(
        {
            "features": {"item": {"kind": "categorical"}},
            "tasks": {
                "click": {"label": "click"},
                "cart": {"label": "cart", "matures_after": 1},
                "buy": {"label": "buy", "matures_after": 3},
            },
        }
    )

    def strategy(self, every):
        return BaseModelStrategy(unseen=True, every=every, contract=self.contract.to_json())

    def transformed(self, test, base, spans):
        learnt = learnt_labels(self._store, base, self.contract) if base else None
        use = LabelUse(
            labels_left_out(self.contract, spans, test, learnt), ("click", "cart", "buy")
        )
        made = self._artifact("Examples")
        (artifact,) = self._store.get_artifacts_by_id([made])
        artifact.custom_properties[LABELS_PROPERTY].string_value = use.text
        self._store.put_artifacts([artifact])
        self.used[test] = use
        return made

    used: ClassVar[dict] = {}


@pytest.fixture
def days(tmp_path):
    return _Days(tmp_path / "metadata.sqlite")


@pytest.fixture
def late_days(tmp_path):
    return _LateDays(tmp_path / "metadata.sqlite")


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


def test_a_span_trains_again_when_more_of_its_labels_is_known(late_days):
    """Window 3: of a span carts are known when it trains first, purchases two days later."""
    found = [late_days.day(test)[1] for test in (4, 5, 6, 7)]
    assert found == [[1, 2, 3], [2, 4], [3, 5], [4, 6]]
    used = late_days.used
    assert (used[4].unknown, used[4].late) == ({"buy": [2, 3]}, {})
    assert (used[5].unknown, used[5].late) == ({"buy": [4]}, {"buy": [2]})
    assert used[5].left_out[2] == {"click": "learnt", "cart": "learnt"}


def test_what_was_not_blessed_or_left_out_is_made_up_for_with_what_is_known(late_days):
    first, _ = late_days.day(4)
    late_days.day(5, blessed=False)
    assert late_days.resolve(6) == (first, [3, 4, 5])  # The second day has left the window.
    _, spans = late_days.day(6)
    assert late_days.used[6].unknown == {"buy": [4, 5]}
    assert late_days.used[6].late == {"buy": [3]}
    assert spans == [3, 4, 5]


def test_a_repeated_day_learns_the_same_labels_again(late_days):
    before = {test: late_days.day(test)[1] for test in (4, 5, 6)}
    base = {test: late_days.resolve(test) for test in (4, 5, 6)}
    assert {test: spans for test, (_, spans) in base.items()} == before


def test_late_labels_of_a_span_that_was_read_anew_are_learnt(late_days):
    """The logs of that day were written anew, as they must be for the purchases to be there."""
    late_days.day(4)
    again = late_days.raw(2, anew=True)
    assert late_days.day(5)[1] == [2, 4]
    assert again == late_days.raw(2)


def test_what_a_model_learnt_before_labels_were_late_is_learnt(days, late_days):
    for test in (4, 5):
        days.day(test)
    late_days.__dict__.update(days.__dict__)
    assert late_days.resolve(6)[1] == [5]


def test_transform_is_told_the_newest_span_where_labels_are_late(tmp_path):
    def built(**changes):
        experiment = read_experiment(write_experiment(tmp_path, **changes)).anchored()
        return create_pipeline(experiment, str(tmp_path / "root"))

    buy = {"label": "buy", "matures_after": 2}
    plain, late = built(), built(tasks={"click": {"label": "click"}, "buy": buy})
    nodes = {node.id: node for node in late.components}
    tested = nodes["SpanWindow"].outputs["test_examples"]
    assert nodes["Transform"].inputs["newest_examples"] is tested
    assert nodes["Transform"].driver_class is Driver
    assert "newest_examples" in nodes["BaseModel"].outputs
    for node in plain.components:
        assert "newest_examples" not in node.inputs
        assert "transformed_examples" not in node.inputs
        assert node.driver_class is not Driver


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
