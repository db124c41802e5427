"""Which models were blessed, and which raw examples they came from: in a store of ML-Metadata."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from mtlx.pipeline.graph.resolvers.blessed_models import blessed_models, examples_of


def _artifact(kind, number):
    artifact = kind()
    artifact.id = number
    return artifact


def _model(number):
    return _artifact(standard_artifacts.Model, number)


def _blessing(model, blessed=1):
    blessing = standard_artifacts.ModelBlessing()
    blessing.set_int_custom_property("current_model_id", model)
    blessing.set_int_custom_property("blessed", blessed)
    return blessing


def _blessed(models, blessings, candidates=()):
    inputs = {"model": models, "model_blessing": blessings}
    found = blessed_models({**inputs, "candidate": [_model(number) for number in candidates]})
    return [(one.model.id, one.blessing) for one in found]


def test_the_oldest_is_first_whatever_the_order_of_the_history():
    first, second = _blessing(3), _blessing(8)
    models = [_model(8), _model(5), _model(3)]
    assert _blessed(models, [second, first]) == [(3, first), (8, second)]


def test_of_two_blessings_of_a_model_the_later_one_holds():
    old, new = _blessing(3), _blessing(3)
    assert _blessed([_model(3)], [old, new])[0][1] is new


def test_what_is_not_blessed_or_is_the_candidate_is_left_out():
    blessings = [_blessing(1, 0), _blessing(2), _blessing(3), _blessing(99)]
    models = [_model(number) for number in (1, 2, 3, 4)]
    assert [number for number, _ in _blessed(models, blessings, [3])] == [2]


def _served(number, model, blessed=1, checked=1):
    blessing = _artifact(standard_artifacts.InfraBlessing, number)
    for name, value in {"current_model_id": model, "blessed": blessed, "checked": checked}.items():
        blessing.set_int_custom_property(name, value)
    return blessing


def _baselines(blessings, infra_blessings, models=5):
    inputs = {"model": [_model(number) for number in range(1, models + 1)]}
    inputs |= {"model_blessing": blessings, "infra_blessing": infra_blessings}
    return [one.model.id for one in blessed_models(inputs)]


def _needing(model):
    blessing = _blessing(model)
    blessing.set_int_custom_property("needs_serving_check", 1)
    return blessing


def test_a_model_that_the_serving_check_refused_is_no_baseline():
    blessings = [_needing(1), _needing(2), _needing(3)]
    assert _baselines(blessings, [_served(10, 1), _served(11, 2), _served(12, 3, 0)]) == [1, 2]
    # Of a model that was checked twice, the later one holds.
    again = [_served(11, 2, 1), _served(12, 2, 0), _served(10, 1, 0), _served(13, 1)]
    assert _baselines(blessings, again) == [1]
    # Of another pipeline's gate, which does not ask for it, a refusal holds as well.
    assert _baselines([_blessing(1), _blessing(2)], [_served(9, 2, 0)]) == [1]


def test_a_run_that_ended_before_its_serving_check_leaves_no_baseline():
    assert _baselines([_needing(1), _needing(2)], [_served(10, 1)]) == [1]
    # It was not served, since the gate of another run held it back.
    assert _baselines([_needing(1), _needing(2)], [_served(10, 2, 0, checked=0)]) == []


def test_models_of_before_there_was_a_serving_check_stay_baselines():
    assert _baselines([_blessing(1), _blessing(2), _needing(3)], []) == [1, 2]
    other = _artifact(standard_artifacts.InfraBlessing, 4)  # of TFX's InfraValidator
    assert _baselines([_blessing(1)], [other]) == [1]


def test_a_resolver_that_does_not_ask_for_serving_checks_goes_by_the_gate():
    assert _blessed([_model(1)], [_needing(1)])[0][0] == 1


def test_an_artifact_that_is_no_model_is_left_out():
    """Histories of a channel hold what was of its type once."""
    other = _artifact(standard_artifacts.ModelRun, 2)
    assert _blessed([other, _model(1)], [_blessing(1), _blessing(2)])[0][0] == 1
    assert blessed_models({}) == []


@pytest.fixture
def store(tmp_path):
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    config.sqlite.connection_mode = 3  # made if it is not there
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


def _examples_of(store, model, *history):
    examples = [_artifact(standard_artifacts.Examples, number) for number in history]
    return [found.id for found in examples_of(store, _model(model), {"examples": examples})]


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
    transformed, model = _trained(lineage, second)
    _, other = _trained(lineage, first)
    history = (first, second, transformed)
    assert _examples_of(store, model, *history) == [second]
    assert _examples_of(store, other, *history) == [first]


def test_what_a_resolver_gives_on_was_made_by_others(store, lineage):
    (raw,) = lineage.node()
    lineage.resolver(examples=raw)
    (model,) = lineage.node(internal=True, examples=[raw])
    assert _examples_of(store, model, raw) == [raw]


def test_a_model_that_went_on_from_others_has_seen_what_they_saw(store, lineage):
    raw = [lineage.node()[0] for _ in range(3)]
    _, first = _trained(lineage, raw[0])
    _, second = _trained(lineage, raw[1], first)
    _, model = _trained(lineage, raw[2], second)
    assert _examples_of(store, model, *raw) == raw
    assert _examples_of(store, second, *raw) == raw[:2]


def test_examples_of_which_nothing_is_known_are_none(store, lineage):
    (raw,) = lineage.node()
    imported = lineage.artifact()
    _, model = _trained(lineage, raw)
    assert _examples_of(store, imported, raw) == []  # no execution wrote it
    assert _examples_of(store, model) == []  # not in the history
    assert _examples_of(None, model, raw) == []  # no store


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
    assert _examples_of(store, model, one) == []
