"""The moving average of a table of which a step changes few rows, at a cost that follows these."""

from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.own_variables import own_variables

#: The average of step t weighs what came before by at most t / (t + 9), as
#: `tf.train.ExponentialMovingAverage` does with `num_updates`.
EARLY = 9
#: Numbers of the steps of rows.
STEPS_DTYPE = "int32"
#: The number of a row whose average is its value, whatever stands there.
_NEVER = -1
#: Rows of which all averages are computed at a time.
_BLOCK = 2**20

_Values: TypeAlias = tf.Tensor | tf.Variable | np.ndarray


def averaged(
    values: _Values, averages: _Values, steps: _Values, count: _Values | int, momentum: float
) -> tf.Tensor:
    """Averages at one step of rows that have not changed since steps of their own.

    A value w that does not change draws its average a_s towards itself:
    a_t = w + (a_s − w) m_(s+1) ⋯ m_t.

    Args:
        values: ``(..., k)``, w.
        averages: ``(..., k)``, a_s.
        steps: ``(...)`` integers, s; −1 where a_s does not matter and a_t is w.
        count: t.
        momentum: m of m_i = min(m, i / (i + 9)).
    """
    # The last step at which i / (i + 9) is the smaller one.
    early = tf.constant(np.floor(EARLY * momentum / (1.0 - momentum)), tf.float64)
    before, now = tf.cast(steps, tf.float64), tf.cast(count, tf.float64)
    first, last = tf.minimum(before, early), tf.minimum(now, early)
    # The product of i / (i + 9) telescopes; of a row that has never been written it has a 0.
    share = tf.pow(tf.constant(momentum, tf.float64), (now - last) - (before - first))
    for number in range(1, EARLY + 1):
        share *= (first + number) / (last + number)
    values = tf.convert_to_tensor(values)
    return values + tf.cast(share, values.dtype)[..., tf.newaxis] * (averages - values)


class RowAverage:
    """Averages of a table's rows, each as of the step behind which its row has last changed.

    Rows are brought up to date just before they are changed, and from then on their averages
    follow from the values that they have now (`averaged`): neither a step nor a checkpoint touches
    the others, and averages are computed of the rows that somebody asks for.

    Created in the strategy's scope; its variables are kept in checkpoints.

    Args:
        table: ``(rows, k)``; whoever changes rows of it calls `settle` before.
        count: how many steps were averaged.
        momentum: m.
        own: whether the table is this worker's alone.
    """

    def __init__(
        self, table: keras.Variable, count: keras.Variable, momentum: float, own: bool = False
    ) -> None:
        self._table, self.count, self.momentum = table, count, momentum
        if own:
            with own_variables():
                self._make()
        else:
            self._make()

    def _make(self) -> None:
        shape, dtype = tuple(self._table.shape), self._table.dtype
        options = {"trainable": False, "autocast": False}
        self._averages = keras.Variable("zeros", shape, dtype, name="average", **options)
        never = keras.initializers.Constant(_NEVER)
        self._steps = keras.Variable(
            never, shape[:1], STEPS_DTYPE, name="averaged_at_step", **options
        )

    @property
    def variables(self) -> tuple[keras.Variable, keras.Variable]:
        """Averages ``(rows, k)`` and the steps ``(rows,)`` that they are of, int32."""
        return self._averages, self._steps

    def of(self, rows: tf.Tensor) -> tf.Tensor:
        """Averages ``(..., k)`` of rows ``(...)`` as of the last step."""
        values, averages, steps = (
            tf.gather(one.value, rows) for one in (self._table, *self.variables)
        )
        return averaged(values, averages, steps, self.count.value, self.momentum)

    def settle(self, rows: tf.Tensor) -> None:
        """Brings rows ``(n,)``, all different, up to date, before a step changes them."""
        steps = tf.fill(tf.shape(rows), tf.cast(self.count.value, STEPS_DTYPE))
        self._averages.value.scatter_update(tf.IndexedSlices(self.of(rows), rows))
        self._steps.value.scatter_update(tf.IndexedSlices(steps, rows))

    def settle_all(self) -> None:
        """Brings every row up to date."""
        values, averages, steps = (one.value for one in (self._table, *self.variables))
        averages.assign(averaged(values, averages, steps, self.count.value, self.momentum))
        count = tf.cast(self.count.value, STEPS_DTYPE)
        steps.assign(tf.fill(tuple(self._steps.shape), count))

    def whole(self) -> np.ndarray:
        """All rows' averages, copied."""
        found = np.empty(tuple(self._table.shape), self._table.dtype)
        for start in range(0, len(found), _BLOCK):
            stop = min(start + _BLOCK, len(found))
            found[start:stop] = self.of(tf.range(start, stop)).numpy()
        return found

    def restart(self) -> None:
        """Lets the averages be the values that the table has, as of a count of 0."""
        self._steps.assign(np.full(tuple(self._steps.shape), _NEVER, STEPS_DTYPE))
