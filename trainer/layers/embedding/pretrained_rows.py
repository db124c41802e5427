"""Vectors that values come with, in the place of rows of the embedding table."""

import keras
import numpy as np
from keras import ops

from mtlx.transform.contract.model_inputs import PretrainedTable


class PretrainedRows(keras.layers.Layer):
    """A value with a vector t gets t W in the place of its embedding; any other keeps its own.

    W starts from N(0, 0.01² / d), so that vectors with numbers of size 1 start as embeddings do.

    Args:
        rows: ids of the field, the special ones included.
        table: the vectors' size d, and whether they are trained.
        size: k.
        name: of the layer.

    Attributes:
        vectors: ``(rows, d)``; zeros until somebody fills them in.
        known: ``(rows,)`` float32, 1 for ids with a vector.
    """

    def __init__(self, rows: int, table: PretrainedTable, size: int, name: str) -> None:
        super().__init__(name=name)
        self.rows, self.table, self.size = rows, table, size

    def build(self, *_: object) -> None:
        """Creates the vectors, which ids have one, and W."""
        self.vectors = self.add_weight(
            shape=(self.rows, self.table.size),
            initializer="zeros",
            trainable=self.table.trainable,
            autocast=False,
            name="vectors",
        )
        self.known = self.add_weight(
            shape=(self.rows,), initializer="zeros", trainable=False, autocast=False, name="known"
        )
        self.projection = self.add_weight(
            shape=(self.table.size, self.size),
            initializer=keras.initializers.RandomNormal(stddev=0.01 / np.sqrt(self.table.size)),
            name="projection",
        )
        self.built = True

    def call(
        self, embedded: keras.KerasTensor, ids: keras.KerasTensor, columns: tuple[int, ...]
    ) -> keras.KerasTensor:
        """Exchanges the embeddings of values with a vector.

        Args:
            embedded: ``(B, n, k)``.
            ids: ``(B, n)`` int64, those of other fields among them.
            columns: places of the field's ids among them.

        Returns:
            ``(B, n, k)``.
        """
        own = ops.take(ids, np.asarray(columns), axis=1)  # (B, c)
        found = ops.cast(ops.take(self.vectors, own, axis=0), self.compute_dtype)
        made = ops.matmul(found, self.projection)  # (B, c, k)
        known = ops.take(self.known, own, axis=0)[:, :, None] > 0
        before = ops.take(embedded, np.asarray(columns), axis=1)
        exchanged = ops.where(known, made, before)
        # Each of the field's columns takes its own place among the others.
        order = np.arange(embedded.shape[1]) + len(columns)
        order[list(columns)] = np.arange(len(columns))
        return ops.take(ops.concatenate([exchanged, embedded], axis=1), order, axis=1)
