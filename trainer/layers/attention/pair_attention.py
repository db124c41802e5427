"""Attention between what the preceding task hands over and what a task has of its own."""

import math

import keras
from keras import ops

from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense


class PairAttention(keras.layers.Layer):
    """z = Σ_u w_u h1(u) over u in {carried, own}, w = softmax_u(<h2(u), h3(u)> / √k).

    h1 (value), h2 (query) and h3 (key) are linear maps of each copy's own. The score of u is
    the product of u's own query and key, as AITM defines it, and not of two different inputs.

    Shapes: carried and own ``(B, copies, n)`` to ``(B, copies, units)``.

    Args:
        copies: number of independent attention units.
        units: k, width of the maps.
        use_bias: whether the maps have a bias.
    """

    def __init__(self, copies: int, units: int, use_bias: bool = True):
        super().__init__()
        self.scale = 1.0 / math.sqrt(units)
        self.value = ParallelDense(copies, units, use_bias=use_bias)
        self.query = ParallelDense(copies, units, use_bias=use_bias)
        self.key = ParallelDense(copies, units, use_bias=use_bias)

    def call(self, carried: keras.KerasTensor, own: keras.KerasTensor) -> keras.KerasTensor:
        """Mixes what is carried here with a copy's own, as attention weighs the two."""
        pair = ops.stack([carried, own], axis=1)  # (B, 2, c, n)
        rows = ops.reshape(pair, (-1, *pair.shape[2:]))  # both as rows of one batch
        values, queries, keys = self.value(rows), self.query(rows), self.key(rows)
        # Products of float16 values could overflow in the sum.
        products = ops.cast(queries, "float32") * ops.cast(keys, "float32")
        scores = ops.reshape(ops.sum(products, axis=-1) * self.scale, (-1, 2, pair.shape[2]))
        weights = ops.cast(ops.softmax(scores, axis=1), values.dtype)  # (B, 2, c)
        values = ops.reshape(values, (-1, 2, *values.shape[1:]))  # (B, 2, c, k)
        return ops.sum(weights[..., None] * values, axis=1)
