"""Which rows of a table steps have changed since somebody asked last."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.share import Shard


@dataclass(frozen=True, eq=False)
class ChangedRows:
    """Notes rows as an optimiser updates them; a byte for each row of the table.

    Attributes:
        variables: ``(rows, ...)``, which change in these rows alone: the table, and what the
            optimiser keeps for it.
        mask: ``(rows,)`` bool.
        shard: which rows of the whole table they hold, and how many that has; None for all.
    """

    variables: tuple[keras.Variable, ...]
    mask: tf.Variable
    shard: Shard | None = None

    @classmethod
    def of(cls, variables: tuple[keras.Variable, ...], shard: Shard | None = None) -> "ChangedRows":
        """Nothing has changed yet."""
        return cls(variables, tf.Variable(tf.zeros(variables[0].shape[:1], tf.bool)), shard)

    def __contains__(self, variable: keras.Variable) -> bool:
        return any(one is variable for one in self.variables)

    @property
    def rows(self) -> int:
        """Of the variables."""
        return int(self.mask.shape[0])

    def note(self, ids: tf.Tensor) -> None:
        """Notes rows ``(n,)``, which may stand there several times, in the graph of a step."""
        self.mask.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(ids), True), ids))

    def note_all(self) -> None:
        """Notes every row."""
        self.mask.assign(tf.ones(self.mask.shape, tf.bool))

    def take(self) -> np.ndarray:
        """The rows noted since the last call, ``(n,)`` int64, rising."""
        rows = tf.where(self.mask)[:, 0]
        self.mask.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), False), rows))
        return rows.numpy()
