"""Columns of vectors."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.values.numbers import Numbers


@dataclass(frozen=True)
class Vectors:
    """A column's vectors.

    Attributes:
        lists: ``(rows,)`` lists of float32, empty where there is none.
        other_length: ``(rows,)`` bool, lists of another length.
        not_finite: ``(rows,)`` bool, with what is no finite number.
    """

    lists: pa.Array
    other_length: np.ndarray
    not_finite: np.ndarray


def vectors(numbers: Numbers, offsets: np.ndarray, size: int) -> Vectors:
    """Checks vectors that are taken apart.

    Args:
        numbers: of all rows, one behind the other.
        offsets: ``(rows + 1,)`` int64, where each row's begin.
        size: how many a vector has.
    """
    lengths = np.diff(offsets)
    missing = np.concatenate([[0], np.cumsum(numbers.missing)])
    absent = missing[offsets[1:]] - missing[offsets[:-1]]
    # An empty text is one item without a number.
    empty = (lengths == 0) | ((lengths == 1) & (absent == 1))
    wrong = np.concatenate([[0], np.cumsum(numbers.missing | numbers.bad)])
    not_finite = ~empty & (wrong[offsets[1:]] > wrong[offsets[:-1]])
    other_length = ~empty & (lengths != size)
    kept = ~empty & ~other_length & ~not_finite
    ends = np.concatenate([[0], np.cumsum(np.where(kept, size, 0))]).astype(np.int64)
    found = numbers.number[np.repeat(kept, lengths)]
    lists = pa.LargeListArray.from_arrays(pa.array(ends), pa.array(found, pa.float32()))
    return Vectors(lists, other_length, not_finite)
