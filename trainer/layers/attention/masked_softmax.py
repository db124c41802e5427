"""The softmax over the real positions of a padded sequence."""

import keras
from keras import ops


def masked_softmax(scores: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
    """Softmax over the last axis, over the positions where the mask is true.

    Args:
        scores: ``(..., L)`` float.
        mask: bool, of a shape that broadcasts to that of the scores.

    Returns:
        Weights like the scores: 0 at masked positions, and all 0, with a finite gradient, where
        there is no real position.
    """
    mask = ops.broadcast_to(mask, ops.shape(scores))
    # A softmax over nothing is 0 / 0, so it goes over all positions where none is real.
    empty = ops.logical_not(ops.any(mask, axis=-1, keepdims=True))
    kept = ops.where(ops.logical_or(mask, empty), scores, -float("inf"))
    return ops.where(mask, ops.softmax(kept, axis=-1), 0.0)
