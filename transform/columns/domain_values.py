"""The domain's value of every row, in analysis, training and serving alike."""

import tensorflow as tf

from mtlx.transform.contract.domain import Domain


def domain_text(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """One text per row, ``(B,)``: empty where the row has no value.

    Other readers than ours may have made integers of the texts.
    """
    if isinstance(x, tf.SparseTensor):
        one_column = tf.SparseTensor(x.indices, _texts(x.values), [x.dense_shape[0], 1])
        x = tf.sparse.to_dense(one_column, default_value="")
    return tf.reshape(_texts(x), [-1])


def is_listed(values: tf.Tensor, domain: Domain) -> tf.Tensor:
    """Which texts ``(B,)`` name a domain, ``(B,)`` bool."""
    return tf.reduce_any(_matches(values, domain), axis=1)


def gathered(values: tf.Tensor, domain: Domain) -> tf.Tensor:
    """Texts ``(B,)`` with `domain.other` in the place of what names no domain, if it is set."""
    if domain.other is None:
        return values
    return tf.where(is_listed(values, domain), values, domain.other)


def domain_index(values: tf.Tensor, domain: Domain) -> tf.Tensor:
    """Index ``(B,)`` int64 of the domain that each text ``(B,)`` names or is served as."""
    matches = _matches(values, domain)
    index = tf.argmax(tf.cast(matches, tf.int64), axis=1)
    served_as = tf.constant(domain.unknown_index, tf.int64)
    return tf.where(tf.reduce_any(matches, axis=1), index, served_as)


def _texts(values: tf.Tensor) -> tf.Tensor:
    return values if values.dtype == tf.string else tf.strings.as_string(values)


def _matches(values: tf.Tensor, domain: Domain) -> tf.Tensor:
    """Row by domain, ``(B, D)`` bool."""
    return tf.equal(values[:, tf.newaxis], tf.constant(domain.values))
