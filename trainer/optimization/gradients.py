"""Arithmetic on gradients, some of which come in slices of a table's rows."""

from typing import TypeAlias

import tensorflow as tf

from mtlx.trainer.optimization.lazy_adam import sum_of_ids

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices


def sum_of_rows(gradient: Gradient) -> Gradient:
    """Of slices every row once, with the sum of what stands there of it."""
    return sum_of_ids(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def scaled(gradient: Gradient, by: float) -> Gradient:
    """Times a number."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient * by
    return tf.IndexedSlices(gradient.values * by, gradient.indices, gradient.dense_shape)


def added(one: Gradient, other: Gradient) -> Gradient:
    """The sum of two gradients; of two in slices their slices behind each other."""
    if not isinstance(one, tf.IndexedSlices) or not isinstance(other, tf.IndexedSlices):
        return tf.convert_to_tensor(one) + tf.convert_to_tensor(other)
    return tf.IndexedSlices(
        tf.concat([one.values, other.values], axis=0),
        tf.concat([one.indices, other.indices], axis=0),
        one.dense_shape,
    )


def tensor_of(gradient: Gradient) -> tf.Tensor:
    """A tensor that is there once the gradient is."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
