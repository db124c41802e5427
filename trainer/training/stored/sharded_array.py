"""A large array on disk, of which each worker has written its own rows."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.share import Share
from mtlx.trainer.training.stored.stored_array import StoredArray, assign


@dataclass(frozen=True)
class ShardedArray:
    """Rows of several stored arrays in turns, as `Share` deals them out.

    Attributes:
        folder: in which the folders of the parts lie.
        parts: of the workers, in their order.
    """

    folder: str
    parts: tuple[StoredArray, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole."""
        return (sum(part.shape[0] for part in self.parts), *self.parts[0].shape[1:])

    def record(self) -> dict[str, Any]:
        """All but the folder, for JSON."""
        below = [os.path.relpath(part.folder, self.folder) for part in self.parts]
        records = [part.record() for part in self.parts]
        return {"folders": below, "parts": records}

    @classmethod
    def of(cls, folder: str, record: Mapping[str, Any]) -> "ShardedArray":
        """What `record` gave, and where the folders lie now.

        Raises:
            ValueError: a file is gone, or not as long as it must be.
        """
        pairs = zip(record["folders"], record["parts"], strict=True)
        parts = (StoredArray.of(os.path.join(folder, below), one) for below, one in pairs)
        return cls(folder, tuple(parts))

    def written_in(self, folder: str) -> list[StoredArray]:
        """The parts whose files lie in a folder."""
        return [part for part in self.parts if part.folder == folder]

    def rows(self) -> Iterator[tuple[slice | np.ndarray, np.ndarray]]:
        """Places and values that, put one after the other, give the whole array."""
        for index, part in enumerate(self.parts):
            share = Share(index, len(self.parts))
            for places, values in part.parts():
                if isinstance(places, slice):
                    first, last = share.of_table(places.start), share.of_table(places.stop - 1)
                    yield slice(first, last + 1, share.count), values
                else:
                    yield share.of_table(places), values

    def __array__(self, dtype: Any = None) -> np.ndarray:
        whole = np.empty(self.shape, self.parts[0].dtype)
        for places, values in self.rows():
            whole[places] = values
        return whole if dtype is None else whole.astype(dtype)

    def give(self, variable: keras.Variable) -> None:
        """Gives a variable its values, without a second whole beside it."""
        for places, values in self.rows():
            if isinstance(places, slice):
                # See `StoredArray.give`.
                part = variable.value[places.start : places.stop : places.step]
                part.assign(values)
            else:
                variable.value.scatter_update(tf.IndexedSlices(values, places))


#: What a checkpoint may hold of a variable.
Kept: TypeAlias = np.ndarray | StoredArray | ShardedArray


def stored_of(folder: str, record: Mapping[str, Any]) -> StoredArray | ShardedArray:
    """What an array on disk was that gave such a record.

    Raises:
        ValueError: a file is gone, or not as long as it must be.
    """
    kind = ShardedArray if "parts" in record else StoredArray
    return kind.of(folder, record)


def in_shards(value: StoredArray | ShardedArray) -> ShardedArray:
    """An array that one worker has written is one shard."""
    return ShardedArray(value.folder, (value,)) if isinstance(value, StoredArray) else value


def give(variable: keras.Variable, value: Kept) -> None:
    """Gives a whole variable its value, wherever that lies."""
    if isinstance(value, ShardedArray):
        value.give(variable)
    else:
        assign(variable, value)


def give_share(variable: keras.Variable, value: Kept, share: Share) -> None:
    """Gives a variable a share's rows of a whole array, whoever has written that."""
    if isinstance(value, np.ndarray):
        variable.assign(value[share.index :: share.count])
        return
    shards = in_shards(value)
    if len(shards.parts) == share.count:
        shards.parts[share.index].give(variable)
        return
    for places, values in shards.rows():
        if isinstance(places, slice):
            places = np.arange(places.start, places.stop, places.step)
        own = share.holds(places)
        rows = tf.IndexedSlices(values[own], share.own(places[own]))
        variable.value.scatter_update(rows)


def stored_in(folder: str, arrays: Sequence[Kept]) -> list[StoredArray]:
    """All that arrays need of a folder."""
    found: list[StoredArray] = []
    for one in arrays:
        if isinstance(one, ShardedArray):
            found += one.written_in(folder)
        elif isinstance(one, StoredArray):
            found.append(one)
    return found
