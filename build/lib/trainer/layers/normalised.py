"""Vectors of one length: layer normalisation without parameters."""

import keras
from keras import ops


def normalised(values: keras.KerasTensor, epsilon: float = 1e-6) -> keras.KerasTensor:
    """(x − μ) / sqrt(σ² + ε) over the last axis.

    Args:
        values: ``(..., k)`` float.
        epsilon: ε; far below the variance 10⁻⁴ that embeddings start with.

    Returns:
        Like the values, with mean 0 and variance 1; zeros, with a finite gradient, for zeros.
    """
    # Squares of float16 values overflow or vanish, so the statistics are taken in float32.
    centred = ops.cast(values, "float32")
    centred = centred - ops.mean(centred, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return ops.cast(centred * ops.rsqrt(variance + epsilon), values.dtype)
