"""A moving average of a model's weights, to be used in their place."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

#: The average of step t weighs what came before by at most t / (t + 9), as
#: `tf.train.ExponentialMovingAverage` does with `num_updates`.
_EARLY = 9.0


class WeightAverage:
    """a_t = m_t a_(t−1) + (1 − m_t) w_t, m_t = min(m, t / (t + 9)), a_0 = w at the start.

    Keras's optimisers have an average too (`use_ema`); it can't be written in the context of a
    replica, begins at the first step's weights with the full momentum, and leaves out what the
    optimiser doesn't train, such as moving statistics, which belong to the weights beside them.

    Created in the strategy's scope; its variables are kept in checkpoints.

    Args:
        model: with all its weights; those of floating point are averaged.
        momentum: m.
    """

    def __init__(self, model: keras.Model, momentum: float) -> None:
        self._weights = [v for v in model.variables if keras.backend.is_float_dtype(v.dtype)]
        self._momentum = momentum
        self._averages = [
            keras.Variable(_value(weight), dtype=weight.dtype, trainable=False, name="average")
            for weight in self._weights
        ]
        self._count = keras.Variable(0, dtype="int64", trainable=False, name="averaged_steps")

    @property
    def variables(self) -> list[keras.Variable]:
        """All state."""
        return [self._count, *self._averages]

    def update(self) -> None:
        """Takes the weights in, after a step; outside of the replicas' context."""
        self._count.value.assign_add(1)
        step = tf.cast(self._count.value, tf.float32)
        kept = tf.minimum(self._momentum, step / (step + _EARLY))
        for weight, average in zip(self._weights, self._averages, strict=True):
            new = kept * average.value + (1.0 - kept) * weight.value
            average.value.assign(new)

    def restart(self) -> None:
        """Goes on from the weights as they are, whatever came before."""
        for weight, average in zip(self._weights, self._averages, strict=True):
            average.assign(_value(weight))
        self._count.assign(0)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Lets the model have the averages in the place of its weights."""
        trained = [_value(weight) for weight in self._weights]
        for weight, average in zip(self._weights, self._averages, strict=True):
            weight.assign(_value(average))
        try:
            yield
        finally:
            for weight, value in zip(self._weights, trained, strict=True):
                weight.assign(value)


def _value(variable: keras.Variable) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable))
