"""What a function that is traced once is told of its batches."""

from collections.abc import Mapping

import tensorflow as tf


def any_rows(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.TensorSpec]:
    """Specs of batches like this one, of any number of rows.

    Without them a function is traced for whole batches, and once more for the last one, which has
    fewer rows.

    Args:
        batch: tensors ``(B, ...)`` by name.
    """
    return {
        name: tf.TensorSpec([None, *values.shape[1:]], values.dtype)
        for name, values in batch.items()
    }
