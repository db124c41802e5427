"""Raw features as a transform graph gets them: sparse, or dense where all rows have values."""

import tensorflow as tf


def values_of(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """All values, whichever rows they are of."""
    return x.values if isinstance(x, tf.SparseTensor) else x


def with_values(x: tf.Tensor | tf.SparseTensor, values: tf.Tensor) -> tf.Tensor | tf.SparseTensor:
    """The same places with other values."""
    return x.with_values(values) if isinstance(x, tf.SparseTensor) else values


def scalars(x: tf.Tensor | tf.SparseTensor, missing: str | float | tf.Tensor) -> tf.Tensor:
    """One value per row, ``(B,)``, `missing` where there is none."""
    if isinstance(x, tf.SparseTensor):
        one_column = tf.SparseTensor(x.indices, x.values, [x.dense_shape[0], 1])
        return tf.sparse.to_dense(one_column, default_value=missing)[:, 0]
    return tf.reshape(x, [-1])


def padded(x: tf.Tensor | tf.SparseTensor, missing: str | float | tf.Tensor) -> tf.Tensor:
    """Values of each row ``(B, L)``, `missing` behind them and in the places of absent ones."""
    if isinstance(x, tf.SparseTensor):
        return tf.sparse.to_dense(x, default_value=missing)
    return x


def widened(dense: list[tf.Tensor], missing: list[tf.Tensor]) -> list[tf.Tensor]:
    """Tensors ``(B, ...)`` padded right to the width of the widest."""
    width = tf.reduce_max(tf.stack([tf.shape(values)[1] for values in dense]))
    return [
        tf.pad(values, [[0, 0], [0, width - tf.shape(values)[1]]], constant_values=nothing)
        for values, nothing in zip(dense, missing, strict=True)
    ]
