"""Values that stand for all rows of a batch, as a user's do for all items of one request.

A feature with one row, beside others with more, or with a number that is not known yet, holds for
all of them, as a shape of 1 does in NumPy. What is made of such features alone is made once.
"""

from collections.abc import Mapping

import keras
from keras import ops


def is_shared(values: keras.KerasTensor) -> bool:
    """Whether values ``(B, ...)`` are known to have one row."""
    return values.shape[0] == 1


def shared_names(features: Mapping[str, keras.KerasTensor]) -> frozenset[str]:
    """Names of the features that stand for the rows of others; none where all have one row."""
    names = frozenset(name for name, values in features.items() if is_shared(values))
    return names if len(names) < len(features) else frozenset()


def for_rows_of(values: keras.KerasTensor, other: keras.KerasTensor) -> keras.KerasTensor:
    """Shared values ``(1, ...)`` for each row of another tensor ``(B, ...)``; others as they are.

    Returns:
        ``(B, ...)``.
    """
    if not is_shared(values) or is_shared(other):
        return values
    return ops.broadcast_to(values, (ops.shape(other)[0], *values.shape[1:]))


def for_all_rows(features: Mapping[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
    """Features by name, of which those that are shared are repeated for every row."""
    shared = shared_names(features)
    own = [values for name, values in features.items() if name not in shared]
    return {
        name: for_rows_of(values, own[0]) if name in shared else values
        for name, values in features.items()
    }
