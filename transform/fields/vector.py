"""Dense vectors."""

import numpy as np
import tensorflow as tf

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import VectorFeature
from mtlx.transform.contract.kinds.vector import MOST_DEVIATIONS


def vector(
    inputs: Inputs, name: str, contract: DataContract, analysis: Analysis
) -> dict[str, tf.Tensor]:
    """Vectors ``(B, size)`` float32, zeros where there is none."""
    feature = contract.features[name]
    if not isinstance(feature, VectorFeature):
        raise TypeError(f"feature {name!r} is {feature.kind}, not a vector")
    values = dense_vectors(inputs[name], feature.size)
    moments = analysis.moments(name)
    mean, deviation = (tf.cast(moment, tf.float32) for moment in (moments.mean, moments.deviation))
    # What a model answers far away from all that it was trained on is chance.
    if feature.standardise:
        standard = tf.math.divide_no_nan(values - mean, deviation)
        bounded = tf.clip_by_value(standard, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    else:
        reach = MOST_DEVIATIONS * deviation
        bounded = tf.clip_by_value(values, mean - reach, mean + reach)
    missing = tf.reduce_any(~tf.math.is_finite(values), axis=1, keepdims=True)
    return {name: tf.where(missing, np.float32(0.0), bounded)}


def dense_vectors(x: tf.Tensor | tf.SparseTensor, size: int) -> tf.Tensor:
    """Vectors ``(B, size)`` float32; NaN where a row has none."""
    if isinstance(x, tf.SparseTensor):
        x = tf.SparseTensor(x.indices, x.values, [x.dense_shape[0], size])
        x = tf.sparse.to_dense(x, default_value=np.float32("nan"))
    return tf.ensure_shape(tf.cast(x, tf.float32), [None, size])
