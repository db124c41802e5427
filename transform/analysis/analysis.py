"""What must be learnt from the training split before the transform graph can be built."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import (
    IdKind,
    NumericFeature,
    SequenceFeature,
    VectorFeature,
    WeightsFeature,
)


@dataclass(frozen=True)
class VocabularyRequest:
    """Which values get an id.

    Attributes:
        sources: features whose values are counted together: the field and its sequences.
        top_k: at most so many values; None for no limit.
        min_count: values that occur more seldom get no id.
    """

    sources: tuple[str, ...]
    top_k: int | None
    min_count: int


@dataclass(frozen=True)
class BucketRequest:
    """Which quantiles of a number are asked for; see `NumericFeature`."""

    buckets: int
    of: Literal["rows", "distinct"] = "rows"


@dataclass(frozen=True)
class NumericSummary:
    """Scalars of one numeric feature, or of all weights of several values, float32.

    Attributes:
        mean: of the present values; 0 where there are none.
        deviation: their standard deviation (of the population); 0 where there are none.
        minimum, maximum: 0 where there are none.
        boundaries: ``(buckets - 1,)`` inner quantile boundaries, or None where not asked for.
    """

    mean: float | tf.Tensor
    deviation: float | tf.Tensor
    minimum: float | tf.Tensor
    maximum: float | tf.Tensor
    boundaries: np.ndarray | tf.Tensor | None


@dataclass(frozen=True)
class VectorMoments:
    """Moments of each number of a vector, ``(size,)`` float32, of the vectors that are there.

    Attributes:
        mean: 0 where there are none.
        deviation: their standard deviation (of the population); 0 where there are none.
    """

    mean: np.ndarray | tf.Tensor
    deviation: np.ndarray | tf.Tensor


class Analysis(Protocol):
    """What `preprocessing_fn` asks of an analysis, whoever made it."""

    def lookup(self, feature: str, values: tf.Tensor) -> tf.Tensor:
        """Places of strings of any shape in a categorical feature's vocabulary, int64.

        The most frequent value's place is 0, ties by falling value; -1 for values that the
        vocabulary does not hold.
        """

    def summary(self, feature: str) -> NumericSummary:
        """Scalars of a numeric feature that has a request."""

    def moments(self, feature: str) -> VectorMoments:
        """Moments of a vector that has a request."""


def vocabulary_name(feature: str) -> str:
    """Name of a feature's vocabulary among the transform graph's assets."""
    return f"{feature}_vocabulary"


def vocabulary_requests(contract: DataContract) -> dict[str, VocabularyRequest]:
    """The vocabularies that the contract asks for, by feature."""
    return {
        name: VocabularyRequest(
            (name, *_sequences_of(contract, name)),
            feature.vocabulary.top_k,
            feature.vocabulary.min_count,
        )
        for name, feature in contract.features.items()
        if isinstance(feature, IdKind) and feature.has_vocabulary
    }


def numeric_requests(contract: DataContract) -> dict[str, BucketRequest | None]:
    """What needs a summary: numeric features, each with its buckets or None for no quantiles, the
    weights of several values, and the labels that are numbers.
    """
    found = {
        name: BucketRequest(feature.buckets, feature.buckets_of)
        if "quantile_buckets" in feature.transforms
        else None
        for name, feature in contract.features.items()
        if isinstance(feature, NumericFeature) and _needs_summary(feature)
    }
    found |= {name: None for name, f in contract.features.items() if isinstance(f, WeightsFeature)}
    return found | {task.label_key: None for task in contract.tasks.values() if task.is_regression}


def vector_requests(contract: DataContract) -> dict[str, int]:
    """The vectors, whose moments are needed, and their sizes."""
    return {
        name: feature.size
        for name, feature in contract.features.items()
        if isinstance(feature, VectorFeature)
    }


def _needs_summary(feature: NumericFeature) -> bool:
    return feature.clip == "training_range" or bool(set(feature.transforms) - {"none", "log"})


def _sequences_of(contract: DataContract, name: str) -> list[str]:
    """Sequences that share a categorical feature's vocabulary."""
    return [
        sequence
        for sequence, feature in contract.features.items()
        if isinstance(feature, SequenceFeature) and feature.of == name
    ]
