"""A number in its forms."""

import tensorflow as tf
import tensorflow_transform as tft

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.contract import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import NumericFeature, NumericTransform
from mtlx.transform.fields.raw import scalars


def number(
    inputs: Inputs, name: str, contract: DataContract, analysis: Analysis
) -> dict[str, tf.Tensor]:
    """By field ``(B,)``: a number's forms, float32, or ids int64 of its quantile buckets."""
    feature = contract.features[name]
    if not isinstance(feature, NumericFeature):
        raise TypeError(f"feature {name!r} is {feature.kind}, not numeric")
    return {
        field: _number(inputs[name], name, feature, transform, analysis)
        for field, transform in feature.fields(name).items()
    }


def _number(
    x: tf.Tensor | tf.SparseTensor,
    name: str,
    feature: NumericFeature,
    transform: NumericTransform,
    analysis: Analysis,
) -> tf.Tensor:
    """A number after one of its transforms, 0 where it is missing; or its quantile bucket's id.

    What is not finite counts as missing, as it does for the analysis. What lies outside the
    training split's range becomes the nearest end of it, unless the feature says otherwise.
    """
    value = tf.cast(scalars(x, float("nan")), tf.float32)
    # Infinity included: it would make every output of the row NaN.
    missing = tf.logical_not(tf.math.is_finite(value))
    if transform == "quantile_buckets":
        boundaries = tf.sort(analysis.summary(name).boundaries)[tf.newaxis]
        bucket = tft.apply_buckets(tf.where(missing, 0.0, value), boundaries)
        return tf.where(
            missing,
            tf.constant(model_inputs.MISSING_ID, tf.int64),
            bucket + model_inputs.FIRST_VALUE_ID,
        )
    if feature.clip == "training_range":
        summary = analysis.summary(name)
        value = tf.clip_by_value(value, summary.minimum, summary.maximum)
    if transform == "zscore":
        summary = analysis.summary(name)
        value = tf.math.divide_no_nan(value - summary.mean, summary.deviation)
    elif transform == "min_max":
        summary = analysis.summary(name)
        spread = summary.maximum - summary.minimum
        value = tf.clip_by_value(tf.math.divide_no_nan(value - summary.minimum, spread), 0.0, 1.0)
    elif transform == "log":
        value = tf.sign(value) * tf.math.log1p(tf.abs(value))
    return tf.where(missing, 0.0, value)
