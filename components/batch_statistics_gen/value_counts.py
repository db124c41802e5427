"""How often each value of a column occurs, in a size that does not grow with the logs."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: Of texts, at most so many different values are kept; of more, those with the smallest hashes.
MOST_TEXTS = 131_072
#: Of numbers, at most so many; of more, neighbours are put together.
MOST_NUMBERS = 4_096
_NO_TEXTS = pa.array([], pa.large_binary())
_SIGN_OFF = np.int32(0x7FFFFFFF)


@dataclasses.dataclass(frozen=True)
class TextCounts:
    """Values of a text column.

    Attributes:
        values: the different ones, ``pa.large_binary()``.
        counts: how often each occurs, int64.
        level: 0 where all values are there. From 1 on only those are whose hash begins with so
            many zero bits: a draw of the values, not of the rows, so that how often a value
            occurs stays exact, and two draws hold the same values.
    """

    values: pa.Array
    counts: np.ndarray
    level: int = 0

    @classmethod
    def of(cls, values: pa.Array) -> "TextCounts":
        """Counts the values of one batch."""
        found = pc.value_counts(values)
        return _thinned(
            cls(found.field("values"), found.field("counts").to_numpy(zero_copy_only=False))
        )

    @classmethod
    def merged(cls, parts: Iterable["TextCounts"]) -> "TextCounts":
        """Adds counts up; in which order and grouping makes no difference."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        level = max((part.level for part in parts), default=0)
        parts = [part.at_level(level) for part in parts]
        encoded = pa.concat_arrays([_NO_TEXTS, *(part.values for part in parts)])
        encoded = encoded.dictionary_encode()
        counts = np.bincount(
            encoded.indices.to_numpy(),
            weights=np.concatenate([np.zeros(0), *(part.counts for part in parts)]),
            minlength=len(encoded.dictionary),
        )
        return _thinned(cls(encoded.dictionary, counts.astype(np.int64), level))

    def at_level(self, level: int) -> "TextCounts":
        """These counts as they are at a `level` that is not below their own."""
        if level == self.level or not len(self.values):
            return dataclasses.replace(self, level=max(level, self.level))
        hashes = pd.util.hash_array(np.array(self.values.to_pylist(), object), categorize=False)
        kept = hashes < np.uint64(1 << (64 - level))
        return TextCounts(self.values.filter(pa.array(kept)), self.counts[kept], level)


def _thinned(found: TextCounts) -> TextCounts:
    while len(found.values) > MOST_TEXTS:
        found = found.at_level(found.level + 1)
    return found


@dataclasses.dataclass(frozen=True)
class NumberCounts:
    """Values of a number column.

    Attributes:
        codes: int64, ascending: the bits of the numbers as float32, in the numbers' own order,
            without the last `level` bits.
        counts: how often each occurs, int64.
        level: 0 where the numbers are exact. Each level halves their precision, so that numbers
            with a few hundred different values stay exact, zeros among many others too, and no
            range or bucket has to be chosen before all are seen.
    """

    codes: np.ndarray
    counts: np.ndarray
    level: int = 0

    @classmethod
    def of(cls, values: np.ndarray) -> "NumberCounts":
        """Counts float32 numbers of one batch; NaN is none."""
        values = values[~np.isnan(values)].astype(np.float32) + np.float32(0.0)
        bits = values.view(np.int32)
        codes = np.where(bits < 0, bits ^ _SIGN_OFF, bits).astype(np.int64)
        return _coarser(cls(*np.unique(codes, return_counts=True)))

    @classmethod
    def merged(cls, parts: Iterable["NumberCounts"]) -> "NumberCounts":
        """Adds counts up; in which order and grouping makes no difference."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        level = max((part.level for part in parts), default=0)
        parts = [part.at_level(level) for part in parts]
        empty = [np.zeros(0, np.int64)]
        return _coarser(
            _added(
                np.concatenate([part.codes for part in parts] or empty),
                np.concatenate([part.counts for part in parts] or empty),
                level,
            )
        )

    def at_level(self, level: int) -> "NumberCounts":
        """These counts as they are at a `level` that is not below their own."""
        if level == self.level:
            return self
        codes = self.codes >> (level - self.level)
        starts = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1))
        counts = np.add.reduceat(self.counts, starts) if len(starts) else self.counts
        return NumberCounts(codes[starts], counts, level)


def number_of(code: int, level: int) -> float:
    """The number nearest to 0 that a code stands for, positive ones; the farthest, negative ones.

    Args:
        code: of `NumberCounts`.
        level: of `NumberCounts`.
    """
    bits = np.clip(np.int64(code) << level, -(2**31), 2**31 - 1).astype(np.int32)
    bits = bits ^ _SIGN_OFF if bits < 0 else bits
    return float(np.int32(bits).view(np.float32))


def _added(codes: np.ndarray, counts: np.ndarray, level: int) -> NumberCounts:
    different, places = np.unique(codes, return_inverse=True)
    summed = np.bincount(places, weights=counts, minlength=len(different))
    return NumberCounts(different, summed.astype(np.int64), level)


def _coarser(found: NumberCounts) -> NumberCounts:
    """The finest level with few enough codes; it is found before anything is added up."""
    off = 0
    while np.count_nonzero(np.diff(found.codes >> off)) >= MOST_NUMBERS:
        off += 1
    return found.at_level(found.level + off)
