"""List columns of any kind as their items and where each row's begin."""

import numpy as np
import pyarrow as pa


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds lists."""
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def flat_items(values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Takes lists apart.

    Args:
        values: ``(n,)`` lists; a null is taken for an empty one.

    Returns:
        The items of all rows, one behind the other, and ``(n + 1,)`` int64, where each row's begin
        among them.
    """
    items = values.flatten()
    present = np.ones(len(values), bool)
    if values.null_count:
        present = values.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_fixed_size_list(values.type):
        lengths = np.full(len(values), values.type.list_size, np.int64)
    else:
        lengths = np.diff(values.offsets.to_numpy()).astype(np.int64)
    lengths = np.where(present, lengths, 0)
    return items, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
