"""The analysis by TFT's own analyzers, inside its preprocessing function."""

import tensorflow as tf
import tensorflow_transform as tft

from mtlx.transform.analysis.analysis import (
    BucketRequest,
    NumericSummary,
    VectorMoments,
    numeric_requests,
    vector_requests,
    vocabulary_name,
    vocabulary_requests,
)
from mtlx.transform.columns.distinct_values import DistinctBoundaries
from mtlx.transform.contract.data_contract import DataContract

Inputs = dict[str, tf.Tensor | tf.SparseTensor]

#: Error of a quantile boundary, in shares of one bucket; `tft.bucketize` asks for the same.
QUANTILE_ERROR = 0.01


class TFTAnalysis:
    """Asks TFT for every vocabulary and every scalar, as an `Analysis` is to.

    Args:
        contract: the data contract.
        inputs: raw features, as `preprocessing_fn` gets them.
    """

    def __init__(self, contract: DataContract, inputs: Inputs) -> None:
        self._files = {
            name: tft.vocabulary(
                tf.concat([_present(inputs[source]) for source in request.sources], axis=0),
                top_k=request.top_k,
                frequency_threshold=request.min_count,
                vocab_filename=vocabulary_name(name),
                name=vocabulary_name(name),
            )
            for name, request in vocabulary_requests(contract).items()
        }
        self._summaries = {
            name: _summarise(_present(inputs[name]), request)
            for name, request in numeric_requests(contract).items()
        }
        self._moments = {
            name: _moments(_present(inputs[name]), size)
            for name, size in vector_requests(contract).items()
        }

    def lookup(self, feature: str, values: tf.Tensor) -> tf.Tensor:
        """See `mtlx.transform.analysis.analysis.Analysis`."""
        return tft.apply_vocabulary(
            values, deferred_vocab_filename_tensor=self._files[feature], default_value=-1
        )

    def summary(self, feature: str) -> NumericSummary:
        """See `mtlx.transform.analysis.analysis.Analysis`."""
        return self._summaries[feature]

    def moments(self, feature: str) -> VectorMoments:
        """See `mtlx.transform.analysis.analysis.Analysis`."""
        return self._moments[feature]


def _present(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Values that are there, ``(n,)``."""
    return x.values if isinstance(x, tf.SparseTensor) else tf.reshape(x, [-1])


def _summarise(values: tf.Tensor, request: BucketRequest | None) -> NumericSummary:
    values = tf.cast(values, tf.float32)
    values = tf.boolean_mask(values, tf.math.is_finite(values))
    return NumericSummary(
        mean=_or_zero(tft.mean(values)),
        deviation=_or_zero(tf.sqrt(tft.var(values))),
        minimum=_or_zero(tft.min(values)),
        maximum=_or_zero(tft.max(values)),
        boundaries=None if request is None else _boundaries(values, request),
    )


def _moments(values: tf.Tensor, size: int) -> VectorMoments:
    """Of the numbers ``(n · size,)`` of vectors that stand behind each other."""
    vectors = tf.reshape(tf.cast(values, tf.float32), [-1, size])
    vectors = tf.boolean_mask(vectors, tf.reduce_all(tf.math.is_finite(vectors), axis=1))
    mean = tft.mean(vectors, reduce_instance_dims=False)
    deviation = tf.sqrt(tft.var(vectors, reduce_instance_dims=False))
    return VectorMoments(_or_zero(mean), _or_zero(deviation))


def _boundaries(values: tf.Tensor, request: BucketRequest) -> tf.Tensor:
    """Inner boundaries ``(buckets - 1,)`` of finite values ``(n,)``."""
    if request.of == "rows":
        epsilon = QUANTILE_ERROR / request.buckets
        return tft.quantiles(values, request.buckets, epsilon=epsilon)[0]
    (boundaries,) = tft.experimental.ptransform_analyzer(
        [values], DistinctBoundaries(request.buckets), [tf.float32], [[request.buckets - 1]]
    )
    return boundaries


def _or_zero(value: tf.Tensor) -> tf.Tensor:
    """TFT gives NaN, or the type's extremes, where there are no values."""
    extreme = tf.greater_equal(tf.abs(value), tf.float32.max)
    return tf.where(tf.logical_or(extreme, tf.logical_not(tf.math.is_finite(value))), 0.0, value)
