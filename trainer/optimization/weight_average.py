"""A moving average of a model's weights, to be used in their place."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.optimization.lazy_adam import look_up
from mtlx.trainer.optimization.row_average import EARLY, RowAverage


class WeightAverage:
    """a_t = m_t a_(t−1) + (1 − m_t) w_t, m_t = min(m, t / (t + 9)), a_0 = w at the start.

    Keras's optimisers have an average too (`use_ema`); it can't be written in the context of a
    replica, begins at the first step's weights with the full momentum, and leaves out what the
    optimiser doesn't train, such as moving statistics, which belong to the weights beside them.

    Tables of which steps change few rows are averaged by these (`RowAverage`), and are never
    exchanged for their averages: `look_up` reads those.

    Created in the strategy's scope; its variables are kept in checkpoints.

    Args:
        model: with all its weights; those of floating point are averaged.
        momentum: m.
        tables: weights of the model whose rows are settled by whoever changes them.
        own: those of the tables that are this worker's alone.

    Attributes:
        rows: averages of the tables, by the `id` of each.
    """

    def __init__(
        self,
        model: keras.Model,
        momentum: float,
        tables: Collection[keras.Variable] = (),
        own: Collection[keras.Variable] = (),
    ) -> None:
        self._momentum = momentum
        self._count = keras.Variable(0, dtype="int64", trainable=False, name="averaged_steps")
        self._own = {id(table) for table in own}
        self.rows: Mapping[int, RowAverage] = {
            id(table): RowAverage(table, self._count, momentum, id(table) in self._own)
            for table in tables
        }
        self._weights = [
            variable
            for variable in model.variables
            if keras.backend.is_float_dtype(variable.dtype) and id(variable) not in self.rows
        ]
        self._averages = [
            keras.Variable(_value(weight), dtype=weight.dtype, trainable=False, name="average")
            for weight in self._weights
        ]

    @property
    def variables(self) -> list[keras.Variable]:
        """All state."""
        of_rows = [variable for one in self.rows.values() for variable in one.variables]
        return [self._count, *self._averages, *of_rows]

    def update(self) -> None:
        """Takes the weights in, after a step; outside of the replicas' context."""
        self._count.value.assign_add(1)
        step = tf.cast(self._count.value, tf.float32)
        kept = tf.minimum(self._momentum, step / (step + EARLY))
        for weight, average in zip(self._weights, self._averages, strict=True):
            new = kept * average.value + (1.0 - kept) * weight.value
            average.value.assign(new)

    def restart(self) -> None:
        """Goes on from the weights as they are, whatever came before."""
        for weight, average in zip(self._weights, self._averages, strict=True):
            average.assign(_value(weight))
        for rows in self.rows.values():
            rows.restart()
        self._count.assign(0)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Lets the model have the averages in the place of its weights, but for those of `rows`."""
        trained = [_value(weight) for weight in self._weights]
        for weight, average in zip(self._weights, self._averages, strict=True):
            weight.assign(_value(average))
        try:
            yield
        finally:
            for weight, value in zip(self._weights, trained, strict=True):
                weight.assign(value)

    def look_up(self, table: keras.Variable, rows: tf.Tensor) -> tf.Tensor:
        """Averages ``(..., k)`` of a table's rows ``(...)``; the values of any other weight."""
        found = self.rows.get(id(table))
        return look_up(table, rows) if found is None else found.of(rows)

    @contextlib.contextmanager
    def looked_up(self, embeddings: Iterable[FieldEmbedding]) -> Iterator[None]:
        """Lets embeddings look up averages of their tables' rows, and values again afterwards.

        A graph that is traced meanwhile looks up averages for good. What fetches rows of tables
        that are one worker's alone has to ask `look_up` itself.
        """
        chosen = [
            one
            for one in embeddings
            if one.rows and id(one.table) in self.rows and id(one.table) not in self._own
        ]
        before = [one.look_up for one in chosen]
        for one in chosen:
            one.look_up = self.look_up
        try:
            yield
        finally:
            for one, former in zip(chosen, before, strict=True):
                one.look_up = former


def _value(variable: keras.Variable) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable))
