"""Several embeddings of a row as one."""

from typing import Literal

import keras
from keras import ops


def pooled_values(
    values: keras.KerasTensor,
    weights: keras.KerasTensor,
    pooling: Literal["sum", "mean", "sqrt_n"],
) -> keras.KerasTensor:
    """The sum Σ w_i e_i; for ``mean`` over Σ w_i, for ``sqrt_n`` over the root of Σ w_i².

    As `tf.nn.embedding_lookup_sparse` has them.

    Args:
        values: ``(B, L, k)``.
        weights: ``(B, L)``, not negative, 0 at padding; one of each row above 0.
        pooling: which.

    Returns:
        ``(B, k)``.
    """
    total = ops.einsum("bl,blk->bk", weights, values)
    if pooling == "sum":
        return total
    if pooling == "mean":
        size = ops.sum(weights, axis=1, keepdims=True)
    else:
        size = ops.sqrt(ops.sum(ops.square(weights), axis=1, keepdims=True))
    # Rows of zeros alone are those that a model is built on.
    return total / ops.where(size > 0, size, 1.0)
