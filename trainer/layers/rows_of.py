"""Rows of a small table of weights, read by many examples each."""

import keras
from keras import ops


def rows_of(table: keras.KerasTensor, index: keras.KerasTensor) -> keras.KerasTensor:
    """``(R, ...)`` at int index ``(...)``; what examples add to a row's gradient is float32.

    A row that thousands of examples read gets the sum of what they ask of it. In bfloat16 that sum
    stands still from 256 equal parts on, and a GPU, which has no instruction to add to a bfloat16
    in memory, lets the examples of a row wait for each other: steps that take a millisecond take a
    hundred. The rows themselves are of the table's precision, and the same.

    Args:
        table: of the layer's precision.
        index: from 0 to R - 1.
    """
    table = ops.convert_to_tensor(table)
    # TensorFlow keeps the parts of a look-up's gradient apart as long as it can, beyond a cast, and
    # would add them up in the table's precision; at a reshape it adds them up.
    exact = ops.reshape(ops.cast(table, "float32"), table.shape)
    return ops.cast(ops.take(exact, index, axis=0), table.dtype)
