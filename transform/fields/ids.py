"""Ids of texts: places in a vocabulary, or hash buckets."""

import tensorflow as tf

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.columns.missing_values import is_missing
from mtlx.transform.contract import model_inputs
from mtlx.transform.contract.data_contract import DataContract


def ids_of(values: tf.Tensor, name: str, contract: DataContract, analysis: Analysis) -> tf.Tensor:
    """Ids of strings of any shape, of a feature or of the items of a sequence."""
    feature = contract.ids(name)
    if feature.hash_buckets is not None:
        ids = tf.strings.to_hash_bucket_fast(values, feature.hash_buckets)
        ids += model_inputs.FIRST_VALUE_ID
        missing = tf.constant(model_inputs.MISSING_ID, tf.int64)
        return tf.where(tf.equal(values, ""), missing, ids)
    # Both the vocabulary's place -1 and OUT_OF_VOCABULARY_ID are one below the first value.
    ids = analysis.lookup(name, values) + model_inputs.FIRST_VALUE_ID
    # No vocabulary holds what stands for a missing value: so only the few values that one does not
    # hold are asked. To ask all was a fifth of what a served row with sequences costs.
    unknown = tf.where(tf.equal(ids, model_inputs.OUT_OF_VOCABULARY_ID))
    texts = tf.gather_nd(values, unknown)
    # `tf.boolean_mask` is thirteen operations, for each feature.
    missing = tf.gather(unknown, tf.where(is_missing(texts, contract))[:, 0])
    updates = tf.fill([tf.shape(missing)[0]], tf.constant(model_inputs.MISSING_ID, tf.int64))
    return tf.tensor_scatter_nd_update(ids, missing, updates)
