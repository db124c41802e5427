"""Vectors at one scale, whatever they were made from."""

import keras
from keras import ops

#: Added to the mean square: a thousandth of that of what N(0, 0.01) embeddings give.
EPSILON = 1e-7


def unit_scale(values: keras.KerasTensor) -> keras.KerasTensor:
    """x / RMS(x) over the last axis, without weights: root mean square normalisation.

    Args:
        values: ``(..., n)``.

    Returns:
        ``(..., n)`` of mean square 1; zeros stay zeros.
    """
    # Squares of float16 values overflow, those of small ones vanish.
    wide = ops.cast(values, "float32")
    mean_square = ops.mean(ops.square(wide), axis=-1, keepdims=True)
    return ops.cast(wide * ops.rsqrt(mean_square + EPSILON), values.dtype)
