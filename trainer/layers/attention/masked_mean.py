"""The mean over the real positions of a padded sequence."""

import keras
from keras import ops


def masked_mean(values: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
    """Averages over the positions where the mask is true.

    Args:
        values: ``(B, L, k)`` float.
        mask: ``(B, L)`` bool.

    Returns:
        ``(B, k)``; zeros, with a finite gradient, where a row has no real position.
    """
    weights = ops.cast(mask, values.dtype)  # (B, L)
    total = ops.einsum("bl,blk->bk", weights, values)
    count = ops.sum(weights, axis=1, keepdims=True)
    return total / ops.maximum(count, 1)
