"""Learnt vectors added to a sequence: what tells attention of positions or kinds."""

import keras
from keras import ops

from mtlx.trainer.layers.rows_of import rows_of


class AddedEmbedding(keras.layers.Layer):
    """x + E[index]. E starts from N(0, spread).

    Args:
        rows: number of indices.
        spread: standard deviation of E at the start. It belongs to the size of x: beside what is
            far larger E is not heard, beside what is far smaller nothing else is.
    """

    def __init__(self, rows: int, spread: float):
        super().__init__()
        self.rows, self.spread = rows, spread

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates E, ``(rows, k)``."""
        self.table = self.add_weight(
            shape=(self.rows, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=self.spread),
            name="table",
        )

    def call(self, inputs: keras.KerasTensor, index: keras.KerasTensor) -> keras.KerasTensor:
        """``(..., k)`` and int index ``(...)``, or one that broadcasts to it, to ``(..., k)``."""
        return inputs + rows_of(self.table, index)


def recency(mask: keras.KerasTensor) -> keras.KerasTensor:
    """How far back each position lies, ``(..., L)`` int32; sequences are padded on the right.

    The most recent one has 1, the one before it 2; padding has 0. Unlike positions that are
    counted from the start, these mean the same in sequences of all lengths.
    """
    real = ops.cast(mask, "int32")
    return ops.flip(ops.cumsum(ops.flip(real, axis=-1), axis=-1), axis=-1) * real
