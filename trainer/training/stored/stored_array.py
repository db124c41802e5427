"""A large array on disk: a base, and the rows that were changed since."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.optimization.row_average import STEPS_DTYPE, averaged

#: What is read and written of a base at a time.
BLOCK_BYTES = 2**25


@dataclass(frozen=True)
class StoredAverage:
    """What a table's average follows from besides its values (`RowAverage`).

    Attributes:
        base: as a `StoredArray`'s, of the averages of the rows, each as of a step of its own.
        name: of these averages in the archives of changes.
        steps_base: of the numbers of these steps.
        steps_name: of the numbers.
        count: the step as of which the average is.
        momentum: of the average.
    """

    base: str
    name: str
    steps_base: str
    steps_name: str
    count: int
    momentum: float


@dataclass(frozen=True)
class StoredArray:
    """An array of which a part at a time comes into memory.

    Attributes:
        folder: where the files lie.
        base: file with the rows behind each other, as they were; its bytes alone.
        changes: archives in the order of their making; each holds under `rows` numbers of rows, and
            under `name` their values.
        rows: see above.
        name: see above.
        shape: of the whole.
        dtype: its name.
        average: where it is not the rows themselves but their average; None for the rows.
    """

    folder: str
    base: str
    changes: tuple[str, ...]
    rows: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    average: StoredAverage | None = None

    def record(self) -> dict[str, Any]:
        """All but the folder, for JSON."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    @classmethod
    def of(cls, folder: str, record: Mapping[str, Any]) -> "StoredArray":
        """What `record` gave, and where the files lie now.

        Raises:
            ValueError: one of them is gone, or the base is not as long as it must be.
        """
        lists = {name: tuple(record[name]) for name in ("changes", "shape")}
        of = record.get("average")
        average = None if of is None else StoredAverage(**of)
        found = cls(folder=folder, **{**record, **lists, "average": average})
        paths = [os.path.join(folder, file) for file in found.files]
        gone = [path for path in paths if not tf.io.gfile.exists(path)]
        if gone:
            raise ValueError(f"{gone[0]} is gone")
        for (_, _, shape, dtype), path in zip(found._columns(), paths, strict=False):
            size = tf.io.gfile.stat(path).length
            expected = shape[0] * row_bytes(shape, dtype)
            if size != expected:
                raise ValueError(f"{path} has {size:,} bytes, not {expected:,}")
        return found

    @property
    def files(self) -> tuple[str, ...]:
        """All that are needed to read it."""
        return (*(base for base, *_ in self._columns()), *self.changes)

    def _columns(self) -> list[tuple[str, str, tuple[int, ...], str]]:
        """Base, name, shape and type of all that it is made of."""
        own = [(self.base, self.name, self.shape, self.dtype)]
        of = self.average
        if of is None:
            return own
        averages = (of.base, of.name, self.shape, self.dtype)
        return [*own, averages, (of.steps_base, of.steps_name, self.shape[:1], STEPS_DTYPE)]

    def parts(self) -> Iterator[tuple[slice | np.ndarray, np.ndarray]]:
        """Places and values that, put one after the other, give the whole array."""
        of = self.average
        if of is None:
            yield from self._read(*self._columns()[0])
            return
        for column in zip(*(self._read(*one) for one in self._columns()), strict=True):
            values, averages, steps = (found for _, found in column)
            yield column[0][0], averaged(values, averages, steps, of.count, of.momentum).numpy()

    def _read(
        self, base: str, name: str, shape: tuple[int, ...], dtype: str
    ) -> Iterator[tuple[slice | np.ndarray, np.ndarray]]:
        """Places and values of one of `_columns`."""
        size = row_bytes(shape, dtype)
        with tf.io.gfile.GFile(os.path.join(self.folder, base), "rb") as file:
            for block in blocks(self.shape, self.dtype):
                data = file.read((block.stop - block.start) * size)
                yield block, np.frombuffer(data, dtype).reshape((-1, *shape[1:]))
        for change in self.changes:
            with (
                tf.io.gfile.GFile(os.path.join(self.folder, change), "rb") as file,
                np.load(file) as stored,
            ):
                if self.rows in stored.files:
                    yield stored[self.rows], stored[name]

    def __array__(self, dtype: Any = None) -> np.ndarray:
        whole = np.empty(self.shape, self.dtype)
        for places, values in self.parts():
            whole[places] = values
        return whole if dtype is None else whole.astype(dtype)

    def give(self, variable: keras.Variable) -> None:
        """Gives a variable its values, without a second whole beside it."""
        value = variable.value
        if not isinstance(value, tf.Variable) or hasattr(value, "values"):
            # Copies on several devices; each of them is set as a whole.
            variable.assign(np.asarray(self))
            return
        for places, values in self.parts():
            if isinstance(places, slice):
                # Unlike a scattered update this leaves the variable one that is read uncopied.
                value[places.start : places.stop].assign(values)
            else:
                value.scatter_update(tf.IndexedSlices(values, places))


def assign(variable: keras.Variable, value: np.ndarray | StoredArray) -> None:
    """Gives a variable a value, wherever that lies."""
    if isinstance(value, StoredArray):
        value.give(variable)
    else:
        variable.assign(value)


def write_base(path: str, variable: keras.Variable) -> None:
    """Writes a variable's rows behind each other, a block at a time.

    Steps may go on: of rows that they change meanwhile the file may hold any mixture.
    """
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "wb") as file:
        for block in blocks(tuple(variable.shape), variable.dtype):
            # To slice a variable would read it as a whole.
            rows = tf.gather(variable.value, tf.range(block.start, block.stop))
            file.write(rows.numpy().tobytes())


def blocks(shape: tuple[int, ...], dtype: str) -> Iterator[slice]:
    """Rows that are read and written together."""
    size = max(1, BLOCK_BYTES // row_bytes(shape, dtype))
    for start in range(0, shape[0], size):
        yield slice(start, min(start + size, shape[0]))


def row_bytes(shape: tuple[int, ...], dtype: str) -> int:
    """Bytes of one row of an array."""
    return int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
