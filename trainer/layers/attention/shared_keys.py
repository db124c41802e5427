"""Attention of many rows into the keys of one: the rows become queries of that one."""

import keras
from keras import ops

from mtlx.trainer.layers.shared_rows import is_shared


def as_queries(
    queries: keras.KerasTensor, keys: keras.KerasTensor
) -> tuple[keras.KerasTensor, bool]:
    """One query of each row as the queries of one row, where the keys are of one row.

    So keys and values are projected once, and no row has a copy of them.

    Args:
        queries: ``(B, C, 1, k)``.
        keys: ``(B, C, L, k)``, or ``(1, C, L, k)`` beside all B rows of the queries.

    Returns:
        The queries, ``(1, C, B, k)`` beside keys of one row, and whether they are that.
    """
    if not is_shared(keys) or is_shared(queries):
        return queries, False
    return ops.transpose(queries, (2, 1, 0, 3)), True


def as_rows(attended: keras.KerasTensor, shared: bool) -> keras.KerasTensor:
    """What came of the queries, ``(B, C, 1, k)`` again."""
    if not shared:
        return attended
    turned = ops.transpose(attended, (2, 1, 0, 3))
    # Where the number of rows is not known, neither is, for a graph, that each is one query.
    return ops.reshape(turned, (-1, attended.shape[1], 1, attended.shape[3]))
