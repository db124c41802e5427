"""The hash of crosses of two fields' values: the same in training and in serving."""

import keras
import numpy as np
from keras import ops

#: 2^31 - 1, a Mersenne prime.
PRIME = 2_147_483_647


class CrossHash:
    """h(a, b) = two rounds of multiply, add and shift modulo 2^31 − 1, then modulo the codewords.

    Each cross (pair of fields) and each of the hash functions has its own factors, so that equal
    ids in other fields are other tokens. The factors come from a generator whose stream NumPy has
    frozen (RandomState), and travel in the graph as constants. All factors and remainders are
    below 2^31 and 2^30, so that no int64 sum of products overflows.

    Args:
        crosses: number of pairs of fields.
        functions: number of hash functions.
        buckets: codewords to choose from.
    """

    def __init__(self, crosses: int, functions: int, buckets: int):
        generator = np.random.RandomState(20_230_806)
        draws = generator.randint(1, 2**30, size=(4, functions, crosses), dtype="int64")
        # One function's factors do not depend on how many there are besides it.
        self.left, self.right, self.offset, self.second = np.swapaxes(draws, 1, 2)
        self.buckets = buckets

    def __call__(
        self, left_ids: keras.KerasTensor, right_ids: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Ids ``(B, P)`` int64 of both sides to codewords ``(B, P, functions)`` int64."""
        left = ops.mod(left_ids, PRIME)[:, :, None]
        right = ops.mod(right_ids, PRIME)[:, :, None]
        mixed = ops.mod(left * self.left + right * self.right + self.offset, PRIME)
        # Adding the high bits makes the map more than linear: near ids part ways.
        mixed = ops.mod((mixed + ops.floor_divide(mixed, 32_768)) * self.second, PRIME)
        mixed = ops.mod(mixed + ops.floor_divide(mixed, 8_192), PRIME)
        return ops.mod(mixed, self.buckets)
