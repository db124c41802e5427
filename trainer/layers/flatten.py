"""Fields as one vector."""

import keras
from keras import ops


def flatten(fields: keras.KerasTensor) -> keras.KerasTensor:
    """Fields behind each other: ``(B, [T,] F, k)`` to ``(B, [T,] F·k)``."""
    return ops.reshape(fields, (-1, *fields.shape[1:-2], fields.shape[-2] * fields.shape[-1]))
