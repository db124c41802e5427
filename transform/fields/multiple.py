"""Several values out of a set in one row, and their weights."""

import tensorflow as tf

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.contract import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import MultipleFeature
from mtlx.transform.fields.ids import ids_of
from mtlx.transform.fields.raw import padded, values_of, widened, with_values


def multiple(
    inputs: Inputs, name: str, contract: DataContract, analysis: Analysis
) -> dict[str, tf.Tensor]:
    """Ids ``(B, max_values)`` int64, padded right, and their weights ``(B, max_values)`` float32.

    Values that are missing, or have no weight above 0, are left out, and the first others kept. A
    row without any has one, the id of a missing value, with the weight 1. A weight above the
    largest of the training split counts as that one.
    """
    feature = contract.features[name]
    if not isinstance(feature, MultipleFeature):
        raise TypeError(f"feature {name!r} is {feature.kind}, not one of several values")
    nothing = tf.constant(model_inputs.MISSING_ID, tf.int64)
    found = ids_of(values_of(inputs[name]), name, contract, analysis)
    ids = padded(with_values(inputs[name], found), nothing)
    named = contract.weights_of(name)
    if named is None:
        weights = tf.ones_like(ids, tf.float32)
    else:
        none = tf.constant(0.0)
        ids, weights = widened([ids, padded(inputs[named], none)], [nothing, none])
    places = tf.where(tf.not_equal(ids, nothing) & (weights > 0))
    rows, count = places[:, 0], tf.shape(ids, tf.int64)[0]

    def kept(values: tf.Tensor) -> tf.Tensor:
        """The values that are there, the first ones, ``(B, max_values)``."""
        ragged = tf.RaggedTensor.from_value_rowids(
            tf.gather_nd(values, places), rows, nrows=count, validate=False
        )
        shape = [None, feature.max_values]
        return tf.ensure_shape(ragged[:, : feature.max_values].to_tensor(shape=shape), shape)

    ids, weights = kept(ids), kept(weights)  # Padding's id is 0.
    first = tf.equal(tf.range(feature.max_values), 0)[tf.newaxis]
    empty = tf.equal(ids[:, :1], model_inputs.PADDING_ID) & first
    outputs = {name: tf.where(empty, nothing, ids)}
    if named is not None:
        largest = tf.cast(analysis.summary(named).maximum, tf.float32)
        # 0 where the training split has none.
        weights = tf.where(largest > 0, tf.minimum(weights, largest), weights)
        outputs[named] = tf.where(empty, 1.0, weights)
    return outputs
