"""Learnt vectors added to a sequence: what tells attention of positions or kinds."""

import keras
from keras import ops


class AddedEmbedding(keras.layers.Layer):
    """x + E[index]. E starts from N(0, 0.01), as the fields' embeddings do.

    Args:
        rows: number of indices.
    """

    def __init__(self, rows: int):
        super().__init__()
        self.rows = rows

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates E, ``(rows, k)``."""
        self.table = self.add_weight(
            shape=(self.rows, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.01),
            name="table",
        )

    def call(self, inputs: keras.KerasTensor, index: keras.KerasTensor) -> keras.KerasTensor:
        """``(..., k)`` and int index ``(...)``, or one that broadcasts to it, to ``(..., k)``."""
        return inputs + ops.take(self.table, index, axis=0)


def recency(mask: keras.KerasTensor) -> keras.KerasTensor:
    """How far back each position lies, ``(..., L)`` int32; sequences are padded on the right.

    The most recent one has 1, the one before it 2; padding has 0. Unlike positions that are
    counted from the start, these mean the same in sequences of all lengths.
    """
    real = ops.cast(mask, "int32")
    return ops.flip(ops.cumsum(ops.flip(real, axis=-1), axis=-1), axis=-1) * real
