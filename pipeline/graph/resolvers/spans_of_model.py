"""Which spans a model was trained and tested on, as ML-Metadata tells it."""

from dataclasses import dataclass

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.components.example_gen import utils

from mtlx.pipeline.graph.resolvers.blessed_models import tested_on

_EVENT = metadata_store_pb2.Event
_INPUTS = (_EVENT.INPUT, _EVENT.INTERNAL_INPUT)


@dataclass(frozen=True)
class ModelSpans:
    """Spans by number, the oldest first; empty where they are not known.

    Attributes:
        train: that the model's own training read.
        test: that it was last evaluated on, as a candidate.
        before: that the models were trained on which it went on from, but for those in `train`.
        first: that the first of these models was trained on, from random weights.
    """

    train: tuple[int, ...] = ()
    test: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    first: tuple[int, ...] = ()

    @property
    def seen(self) -> tuple[int, ...]:
        """All spans that went into the weights."""
        return tuple(sorted({*self.train, *self.before}))

    @property
    def from_random_weights(self) -> tuple[int, ...]:
        """Those of the last training that did not go on from a model."""
        return self.first or self.train


def spans_of(store: ml_metadata.MetadataStore, model_id: int) -> ModelSpans:
    """Walks from a model to the raw examples that it was made of, and that it was tested on.

    Without a window, and without a span in ``data.path``, examples have no span of their own; the
    stock driver numbers them 0.

    Args:
        store: ML-Metadata.
        model_id: of a Model artifact.
    """
    own, bases = _trained_on(store, model_id)
    train = _spans(store, own)
    before: set[int] = set()
    first: set[int] = set()
    known, waiting = {model_id}, list(bases)
    while waiting:
        base = waiting.pop()
        if base in known:
            continue
        known.add(base)
        examples, further = _trained_on(store, base)
        spans = _spans(store, examples)
        before |= spans
        first = spans or first  # An imported model says nothing of its spans.
        waiting += further
    test = _spans(store, set(tested_on(store, model_id)))
    return ModelSpans(*(tuple(sorted(one)) for one in (train, test, before - train, first)))


def _trained_on(store: ml_metadata.MetadataStore, model: int) -> tuple[set[int], set[int]]:
    """Ids of the raw examples behind a model, and of the models that it went on from."""
    inputs = _inputs(store, {model})
    bases = inputs.get("base_model", set())
    examples = inputs.get("examples", set())
    while examples:
        behind = _inputs(store, examples).get("examples", set())
        if not behind:
            return examples, bases
        examples = behind
    return set(), bases


def _inputs(store: ml_metadata.MetadataStore, artifacts: set[int]) -> dict[str, set[int]]:
    """Ids of what went into the making of artifacts, by the names of the inputs."""
    made = {
        event.execution_id
        for event in store.get_events_by_artifact_ids(sorted(artifacts))
        if event.type == _EVENT.OUTPUT
    }
    found: dict[str, set[int]] = {}
    # Of an execution from the cache the inputs are those of the one that it stands for.
    for event in store.get_events_by_execution_ids(sorted(made)) if made else ():
        if event.type in _INPUTS and event.path.steps:
            found.setdefault(event.path.steps[0].key, set()).add(event.artifact_id)
    return found


def _spans(store: ml_metadata.MetadataStore, artifacts: set[int]) -> set[int]:
    found = store.get_artifacts_by_id(sorted(artifacts)) if artifacts else []
    name = utils.SPAN_PROPERTY_NAME
    return {one.custom_properties[name].int_value for one in found if name in one.custom_properties}
