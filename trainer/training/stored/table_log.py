"""Large tables on disk, of which every checkpoint adds what has changed since the last."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.optimization.changed_rows import ChangedRows
from mtlx.trainer.optimization.row_average import RowAverage
from mtlx.trainer.training.stored.archive import write_archive
from mtlx.trainer.training.stored.stored_array import StoredArray, StoredAverage, write_base

_FILES = re.compile(r"(base|changes)-(\d+)")


class TableLog:
    """A base of every table, written while steps go on, and files with the rows changed since.

    The base is written block by block from the live tables, so that rows which a step changes
    meanwhile may be of any step, or torn. It is read only together with the changes that were
    noted since before its first block was read: these hold all such rows as they were after one
    and the same step, and the other rows have not changed at all. So base and changes together
    are the tables after exactly that step, and at no time does a second copy of a table exist.

    Changed rows are copied between two steps and written later. When the changes since the base
    are as many rows as the table has, a new base is begun behind the next ones.

    Args:
        folder: for the files.
        tables: which rows of each change.
        name_of: names of the tables' variables, by their `id`.
    """

    def __init__(
        self, folder: str, tables: Sequence[ChangedRows], name_of: Mapping[int, str]
    ) -> None:
        self._folder, self._tables, self._name_of = folder, tables, name_of
        self._base: str | None = None
        self._next_base: str | None = None
        self._changes: list[str] = []
        self._queue: list[tuple[str, dict[str, np.ndarray]]] = []
        self._changed = [0] * len(tables)
        listed = tf.io.gfile.listdir(folder) if tf.io.gfile.exists(folder) else []
        numbers = [int(found[2]) for found in map(_FILES.match, listed) if found]
        self._number = max(numbers, default=0)

    @property
    def folder(self) -> str:
        """For the files."""
        return self._folder

    def __contains__(self, variable: keras.Variable) -> bool:
        return any(variable in table for table in self._tables)

    def name(self, variable: keras.Variable) -> str:
        """Of a table's variable."""
        return self._name_of[id(variable)]

    def go_on(self, found: Iterable[StoredArray]) -> None:
        """Adds to files of an earlier process, whose rows the tables hold now.

        Args:
            found: what it stored last, of the same variables.
        """
        by_name = {one.name: one for one in found}
        if by_name and set(by_name) == {self.name(one) for one in self._variables()}:
            one = next(iter(by_name.values()))
            self._base, self._changes = os.path.dirname(one.base), list(one.changes)
        self._forget_changes()

    @property
    def begun(self) -> bool:
        """Whether there is a base to add to."""
        return self._base is not None

    def new_base(self) -> Callable[[], None]:
        """What writes a new base, beside the steps; it counts from the next `advance` on.

        To be called between two steps, behind which no rows are noted that were not taken.
        """
        self._number += 1
        base = self._next_base = f"base-{self._number}"
        return lambda: self._write_base(base)

    def start_anew(self) -> None:
        """Forgets what was written: something else than steps has changed the tables."""
        self._base, self._next_base, self._changes = None, None, []

    def advance(self) -> None:
        """Copies the rows that have changed; between two steps, while nothing is being written."""
        if self._next_base is not None:
            self._base, self._next_base, self._changes = self._next_base, None, []
            self._changed = [0] * len(self._tables)
        if self._base is None:
            self._forget_changes()
            self.new_base()()
            self.advance()
            return
        arrays: dict[str, np.ndarray] = {}
        for place, table in enumerate(self._tables):
            rows = table.take()
            if rows.size:
                self._changed[place] += rows.size
                arrays[self._rows_name(table)] = rows
                for variable in table.variables:
                    arrays[self.name(variable)] = tf.gather(variable.value, rows).numpy()
        if arrays:
            self._number += 1
            self._changes.append(f"changes-{self._number}.npz")
            self._queue.append((self._changes[-1], arrays))

    @property
    def long(self) -> bool:
        """Whether a new base is due."""
        pairs = zip(self._changed, self._tables, strict=True)
        return any(changed >= table.rows for changed, table in pairs)

    def stored(self, variable: keras.Variable) -> StoredArray:
        """One of the tables' variables, as of the last `advance`; written by `flush`."""
        if self._base is None:
            raise RuntimeError("nothing was stored yet")
        (table,) = (one for one in self._tables if variable in one)
        return StoredArray(
            folder=self._folder,
            base=self._base_path(self._base, variable),
            changes=tuple(self._changes),
            rows=self._rows_name(table),
            name=self.name(variable),
            shape=tuple(variable.shape),
            dtype=str(variable.dtype),
        )

    def averaged(self, variable: keras.Variable, average: RowAverage) -> StoredArray:
        """A table's average as of the last `advance`, likewise."""
        values, steps = (self.stored(one) for one in average.variables)
        found = StoredAverage(
            base=values.base,
            name=values.name,
            steps_base=steps.base,
            steps_name=steps.name,
            count=int(average.count.numpy()),
            momentum=average.momentum,
        )
        return replace(self.stored(variable), average=found)

    def flush(self) -> Callable[[], None]:
        """What writes the copied rows, which it takes over."""
        queue, self._queue = self._queue, []

        def write() -> None:
            tf.io.gfile.makedirs(self._folder)
            for name, arrays in queue:
                write_archive(os.path.join(self._folder, name), arrays)

        return write

    def clean(self, needed: Iterable[StoredArray]) -> Callable[[], None]:
        """What removes the files that nobody needs, once they are not named any more."""
        names = {file.split("/")[0] for one in needed for file in one.files}
        names |= {name for name in (self._base, self._next_base) if name is not None}

        def remove() -> None:
            for entry in tf.io.gfile.listdir(self._folder):
                name = entry.rstrip("/")
                path = os.path.join(self._folder, name)
                if not _FILES.match(name) or name in names:
                    continue
                if tf.io.gfile.isdir(path):
                    tf.io.gfile.rmtree(path)
                else:
                    tf.io.gfile.remove(path)

        return remove

    def _write_base(self, base: str) -> None:
        for variable in self._variables():
            write_base(os.path.join(self._folder, self._base_path(base, variable)), variable)

    def _forget_changes(self) -> None:
        for table in self._tables:
            table.take()

    def _variables(self) -> list[keras.Variable]:
        return [variable for table in self._tables for variable in table.variables]

    def _rows_name(self, table: ChangedRows) -> str:
        return f"{self.name(table.variables[0])}/rows"

    def _base_path(self, base: str, variable: keras.Variable) -> str:
        return f"{base}/{self.name(variable).replace('/', '-')}"
