"""Sizes that a layer must know to create its weights."""

from collections.abc import Sequence
from typing import Any


def known_size(size: int | None) -> int:
    """An axis of a shape that a layer is built for.

    Raises:
        ValueError: it is not known: only the axes of rows and of positions may be open.
    """
    if size is None:
        raise ValueError("the axis that the weights are made for is open: give it a size")
    return size


def last_size(shape: Sequence[Any]) -> int:
    """The last axis of a shape, or of the shapes of a list, which are alike in it."""
    last = shape[-1]
    return known_size(last[-1] if isinstance(last, (list, tuple)) else last)
