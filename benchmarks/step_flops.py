"""How many operations a training step's matrix products are, and what the machine could do.

Products are counted while a step runs operation by operation, so that those in loops count as
often as they run. Look-ups, activations, normalisation and the optimiser count as none: the share
of the machine's rate says what they cost.
"""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from benchmarks.product_flops import product_flops
from benchmarks.step_models import Batch

#: Side of the square matrices whose product is taken for the machine's rate.
SIDE = 2048
#: Rows of the two batches that are counted; operations grow with the rows by a straight line.
_COUNTED = (32, 64)


def products_of(function: Callable[[], object]) -> float:
    """Floating-point operations of all matrix products that a function takes, gradients included.

    Args:
        function: runs operation by operation, not as a graph.
    """
    counts: list[float] = []

    def count(kind: str, inputs: Any, attributes: Any, outputs: Any, *_: object) -> None:
        names = attributes[::2] if attributes else ()
        values = attributes[1::2] if attributes else ()
        given = dict(zip(names, values, strict=True))
        shapes = [tuple(one.shape) for one in inputs]
        made = tuple(outputs[0].shape) if outputs else ()
        counts.append(product_flops(kind, shapes, given, made))

    op_callbacks.add_op_callback(count)
    try:
        function()
    finally:
        op_callbacks.remove_op_callback(count)
    return sum(counts)


def step_flops(step: Callable[[Mapping[str, tf.Tensor]], object], batch: Batch, rows: int) -> float:
    """Operations of the products of a step on so many rows.

    Args:
        step: takes a step, which changes weights.
        batch: at least as many rows as are counted.
        rows: of the step that is asked for.
    """

    def counted(size: int) -> float:
        part = {name: tf.constant(values[:size]) for name, values in batch.items()}
        return products_of(lambda: step(part))

    tf.config.run_functions_eagerly(True)
    try:
        few, more = map(counted, _COUNTED)
    finally:
        tf.config.run_functions_eagerly(False)
    per_row = (more - few) / (_COUNTED[1] - _COUNTED[0])
    return few + per_row * (rows - _COUNTED[0])


class MatmulRate:
    """What `tf.matmul` of square matrices reaches, measured between the steps.

    Args:
        precision: ``float32`` or ``bfloat16``.
        clock: tells seconds.
    """

    def __init__(self, precision: str, clock: Callable[[], float]) -> None:
        values = np.random.default_rng(0).normal(size=(SIDE, SIDE))
        matrix = tf.constant(values, dtype=precision)
        self._clock = clock
        self._product = tf.function(lambda: tf.matmul(matrix, matrix)[0, 0])
        self._seconds: list[float] = []
        self._product().numpy()

    def measure(self) -> None:
        """Takes one product."""
        started = self._clock()
        self._product().numpy()
        self._seconds.append(self._clock() - started)

    @property
    def flops_per_second(self) -> float:
        """The median's."""
        return 2.0 * SIDE**3 / statistics.median(self._seconds)

    @property
    def best(self) -> float:
        """The same of the fastest one."""
        return 2.0 * SIDE**3 / min(self._seconds)
