"""Which spans a model was trained and tested on, as ML-Metadata tells it."""

from collections.abc import Iterable
from dataclasses import dataclass

import ml_metadata

from mtlx.components.lineage.model_lineage import known_span, tested_on, trainings_behind


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
    own, *bases = (_spans(store, one.examples) for one in trainings_behind(store, model_id))
    # An imported model says nothing of its spans.
    first = next((spans for spans in reversed(bases) if spans), set[int]())
    before = set().union(*bases) - own
    test = _spans(store, tested_on(store, model_id))
    return ModelSpans(*(tuple(sorted(one)) for one in (own, test, before, first)))


def _spans(store: ml_metadata.MetadataStore, artifacts: Iterable[int]) -> set[int]:
    numbers = sorted(artifacts)
    found = store.get_artifacts_by_id(numbers) if numbers else []
    return {span for span in map(known_span, found) if span is not None}
