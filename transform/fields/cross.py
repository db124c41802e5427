"""Several values of a row as one, by a hash."""

import tensorflow as tf

from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.columns.missing_values import as_texts
from mtlx.transform.contract import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.fields.raw import scalars


def cross(inputs: Inputs, name: str, contract: DataContract) -> dict[str, tf.Tensor]:
    """Ids ``(B,)`` int64; that of a missing value where one of the values is missing."""
    crossed = contract.crosses[name]
    texts = [as_texts(scalars(inputs[of], ""), contract) for of in crossed.of]
    # Behind its length no text can go on into the next: ("a", "bc") is not ("ab", "c").
    told = [tf.strings.join([tf.strings.as_string(tf.strings.length(t)), ":", t]) for t in texts]
    ids = tf.strings.to_hash_bucket_fast(tf.strings.join(told), crossed.hash_buckets)
    missing = tf.reduce_any(tf.equal(tf.stack(texts), ""), axis=0)
    nothing = tf.constant(model_inputs.MISSING_ID, tf.int64)
    return {name: tf.where(missing, nothing, ids + model_inputs.FIRST_VALUE_ID)}


def served_cross(inputs: Inputs, name: str, contract: DataContract) -> dict[str, tf.Tensor]:
    """The same as a served model has them, by a name of their own, where they are others.

    Args:
        inputs: raw features, those that are known only when training as they are served.
        name: of the cross.
        contract: the data contract.
    """
    if not set(contract.crosses[name].of) & set(contract.training_only):
        return {}
    return {contract.served_cross(name): cross(inputs, name, contract)[name]}
