"""Adam whose cost for an embedding table follows the rows that a batch touches."""

from collections.abc import Container
from typing import Any

import keras
import tensorflow as tf

from mtlx.trainer.distribution.own_variables import own_variables
from mtlx.trainer.distribution.share import Shard
from mtlx.trainer.optimization.changed_rows import ChangedRows
from mtlx.trainer.optimization.fused_adam import FusedAdam
from mtlx.trainer.optimization.row_average import RowAverage


class LazyAdam(FusedAdam):
    """Adam that leaves the rows of a table alone that no row of the batch has looked up.

    For a gradient in slices (`tf.IndexedSlices`) the slices of one id are added up, and moments
    and weights of these ids alone are updated, in place:

        m_i ← β1 m_i + (1 − β1) g_i,  v_i ← β2 v_i + (1 − β2) g_i²,
        w_i ← w_i − α √(1 − β2^t) / (1 − β1^t) · m_i / (√v_i + ε)

    with t the number of all steps. Adam itself lets the moments of every row decay at every
    step and moves rows long after they were seen, at a cost that grows with the table. Dense
    gradients are Adam's. Tables get no weight decay, which would touch every row.

    Args:
        own: weights of this worker alone, which `apply_own` updates.
    """

    def __init__(
        self, *arguments: Any, own: Container[keras.Variable] = (), **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._own = own
        self._watched: dict[int, ChangedRows] = {}
        self._averages: dict[int, RowAverage] = {}

    def add_variable_from_reference(
        self,
        reference_variable: keras.Variable,
        name: str | None = None,
        initializer: Any = "zeros",
    ) -> keras.Variable:
        """See `keras.optimizers.Adam`; what is kept for a weight lies where the weight does."""
        if reference_variable not in self._own:
            return super().add_variable_from_reference(reference_variable, name, initializer)
        # As Keras calls it, which asks a strategy where to put it.
        name = f"{reference_variable.path.replace('/', '_')}_{name}"
        shape, dtype = reference_variable.shape, reference_variable.dtype
        with own_variables():
            return self.add_variable(shape, initializer, dtype, name=name)

    def settle(self, table: keras.Variable, average: RowAverage) -> None:
        """Brings the average of rows up to date from now on before they change.

        Args:
            table: one of the weights, of which the average is; neither watched yet nor traced.
            average: see above.
        """
        self._averages = {**self._averages, self._get_variable_index(table): average}

    def watch(self, table: keras.Variable, shard: Shard | None = None) -> ChangedRows:
        """Notes from now on which rows of a table change; before the first step is traced.

        Args:
            table: one of the weights.
            shard: what it is of a whole table; None for the whole.
        """
        index = self._get_variable_index(table)
        average = self._averages.get(index)
        slots = self._momentums[index], self._velocities[index]
        kept = (table, *slots, *(average.variables if average is not None else ()))
        self._watched = {**self._watched, index: ChangedRows.of(kept, shard)}
        return self._watched[index]

    def apply_own(self, gradient: tf.IndexedSlices, variable: keras.Variable) -> None:
        """Updates a weight of this worker alone, before `apply` counts the step.

        Args:
            gradient: of all workers' rows; no other worker is asked.
            variable: see above.
        """
        self.update_step(gradient, variable.value, self.learning_rate)

    def update_step(
        self,
        gradient: tf.Tensor | tf.IndexedSlices,
        variable: tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """See `keras.optimizers.Adam`; takes slices as well."""
        index = self._get_variable_index(variable)
        watched, average = self._watched.get(index), self._averages.get(index)
        if not isinstance(gradient, tf.IndexedSlices):
            if average is not None:
                average.settle_all()
            super().update_step(gradient, variable, learning_rate)
            if watched is not None:
                watched.note_all()
            return
        first, second = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations.value, variable.dtype) + 1.0
        correction = tf.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        summed = sum_of_ids(gradient)
        ids, values = summed.indices, summed.values
        if average is not None:
            average.settle(ids)
        mean = self.beta_1 * tf.gather(first, ids) + (1.0 - self.beta_1) * values
        square = self.beta_2 * tf.gather(second, ids) + (1.0 - self.beta_2) * tf.square(values)
        rate = tf.cast(learning_rate, variable.dtype) * correction
        change = rate * mean / (tf.sqrt(square) + self.epsilon)
        first.scatter_update(tf.IndexedSlices(mean, ids))
        second.scatter_update(tf.IndexedSlices(square, ids))
        variable.scatter_sub(tf.IndexedSlices(change, ids))
        if watched is not None:
            watched.note(ids)


def sum_of_ids(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """Adds up the slices of one id, so that every id stands once."""
    ids, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(ids))
    return tf.IndexedSlices(values, ids, gradient.dense_shape)


def look_up(table: keras.Variable, rows: tf.Tensor) -> tf.Tensor:
    """Rows of a table without a copy of it; the gradient comes in slices.

    Takes the place of `keras.ops.take`, which first reads the whole table: beside updates in
    place that is a copy of it at every step.
    """
    return tf.gather(table.value, rows)
