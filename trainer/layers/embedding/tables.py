"""How embedding tables of ids come to exist, and how their rows are read."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

import keras
from keras import ops


class Tables:
    """Tables in one piece, drawn at random; whoever keeps them otherwise overrides this."""

    def make(
        self,
        add_weight: Callable[..., keras.Variable],
        shape: tuple[int, int],
        initializer: keras.initializers.RandomNormal,
    ) -> keras.Variable:
        """Makes a table.

        Args:
            add_weight: makes a weight of its layer, given shape and initialiser.
            shape: ``(rows, k)`` of the whole table.
            initializer: draws it.
        """
        return add_weight(shape=shape, initializer=initializer)

    def look_up(self, table: keras.Variable, rows: keras.KerasTensor) -> keras.KerasTensor:
        """Rows ``(...)`` of the whole table as ``(..., k)``."""
        return ops.take(table, rows, axis=0)


class _GivenTables(Tables):
    def make(
        self,
        add_weight: Callable[..., keras.Variable],
        shape: tuple[int, int],
        initializer: keras.initializers.RandomNormal,
    ) -> keras.Variable:
        return add_weight(shape=shape, initializer="zeros")


_PRESENT: contextvars.ContextVar[Tables | None] = contextvars.ContextVar("tables", default=None)


def present_tables() -> Tables:
    """What makes the tables of the models that are built now."""
    found = _PRESENT.get()
    return Tables() if found is None else found


@contextlib.contextmanager
def tables_of(tables: Tables) -> Iterator[None]:
    """Models built within it have their tables made in this way."""
    before = _PRESENT.set(tables)
    try:
        yield
    finally:
        _PRESENT.reset(before)


def tables_given() -> contextlib.AbstractContextManager[None]:
    """Models built within it have tables of zeros, for whoever gives them all their weights.

    To draw a table takes three times its memory: numbers, their multiples, and the sum with 0.
    """
    return tables_of(_GivenTables())
