"""The data contract's transforms, each as one call of a stock TFT analyzer."""

import tensorflow as tf
import tensorflow_transform as tft

from transform.analysis import vocabulary_name
from transform.data_contract import CategoricalFeature, DataContract, NumericFeature
from transform.model_inputs import DOMAIN_ID, FIRST_VALUE_ID, MISSING_ID, OUT_OF_VOCABULARY_ID

Values = tf.Tensor | tf.SparseTensor


def preprocessing_fn(
    inputs: dict[str, Values], custom_config: dict[str, str]
) -> dict[str, tf.Tensor]:
    """Gives the keys and ids of `transform.preprocessing`, so that the same model trains on them.

    Args:
        inputs: raw features by name.
        custom_config: ``{"data_contract": DataContract as JSON}``.
    """
    contract = DataContract.from_json(custom_config["data_contract"])
    outputs = {}
    for name, feature in contract.features.items():
        if isinstance(feature, NumericFeature):
            outputs[name] = _number(inputs[name], feature)
        elif isinstance(feature, CategoricalFeature) and feature.embed:
            outputs[name] = _ids(_dense(inputs[name], ""), name, feature)
    domains = tf.constant(contract.domain.values)
    matches = tf.equal(_dense(inputs[contract.domain.feature], "")[:, tf.newaxis], domains)
    outputs[DOMAIN_ID] = tf.argmax(tf.cast(matches, tf.int64), axis=1)
    for task in contract.tasks.values():
        if task.label in inputs:
            outputs[task.label] = _dense(inputs[task.label], tf.constant(0, tf.int64))
    return outputs


def _dense(values: Values, missing: str | float | tf.Tensor) -> tf.Tensor:
    """One value per row, ``(B,)``."""
    if isinstance(values, tf.SparseTensor):
        one = tf.SparseTensor(values.indices, values.values, [values.dense_shape[0], 1])
        values = tf.sparse.to_dense(one, missing)
    return tf.squeeze(values, axis=1)


def _ids(values: tf.Tensor, name: str, feature: CategoricalFeature) -> tf.Tensor:
    found = tft.compute_and_apply_vocabulary(
        values,
        default_value=OUT_OF_VOCABULARY_ID - FIRST_VALUE_ID,
        top_k=feature.vocabulary.top_k,
        frequency_threshold=feature.vocabulary.min_count,
        vocab_filename=vocabulary_name(name),
    )
    missing = tf.constant(MISSING_ID, tf.int64)
    return tf.where(tf.equal(values, ""), missing, found + FIRST_VALUE_ID)


def _number(values: Values, feature: NumericFeature) -> tf.Tensor:
    if feature.transform == "zscore":
        # Of a sparse tensor TFT scales the values that are there.
        return _dense(tft.scale_to_z_score(values), 0.0)
    dense = _dense(values, 0.0)
    if feature.transform == "min_max":
        return tft.scale_to_0_1(dense)
    if feature.transform == "log":
        return tf.sign(dense) * tf.math.log1p(tf.abs(dense))
    if feature.transform == "quantile_buckets":
        return tft.bucketize(dense, feature.buckets) + FIRST_VALUE_ID
    return dense
