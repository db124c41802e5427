"""Values that stand several in a row, with a weight each."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.values.lists.behaviours import Items
from mtlx.components.log_example_gen.values.numbers import Numbers


@dataclass(frozen=True)
class Weights:
    """A column of weights, taken apart.

    Attributes:
        numbers: of the items of all rows.
        offsets: ``(rows + 1,)`` int64, where each row's begin.
    """

    numbers: Numbers
    offsets: np.ndarray


def marked_apart(text: pa.Array, mark: str) -> tuple[pa.Array, pa.Array]:
    """Takes items such as ``drama:0.7`` apart at the last mark.

    Args:
        text: ``(n,)`` items, null where one is missing.
        mark: between value and weight.

    Returns:
        Values and weights, ``(n,)`` texts; the weight is null where an item has no mark.
    """
    parts = pc.split_pattern(text, mark, max_splits=1, reverse=True)
    lengths = pc.fill_null(pc.list_value_length(parts), 0).to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    flat = parts.flatten()
    values = flat.take(pa.array(starts, mask=lengths == 0))
    weights = flat.take(pa.array(starts + 1, mask=lengths < 2))
    return values, weights


def other_lengths(values: Items, weights: Weights) -> np.ndarray:
    """Rows ``(rows,)`` with more weights than values, or fewer; but for rows without either."""
    differ = np.diff(values.offsets) != np.diff(weights.offsets)
    there = _any(values.present, values.offsets) | _any(~weights.numbers.missing, weights.offsets)
    return differ & there


def bad_weights(values: Items, weights: Weights) -> np.ndarray:
    """Rows ``(rows,)`` of as many weights as values with one that is negative or no number."""
    same = np.diff(values.offsets) == np.diff(weights.offsets)
    with np.errstate(invalid="ignore"):
        bad = weights.numbers.bad | (weights.numbers.number < 0)
    found = _any(bad, weights.offsets)
    lacking = weights.numbers.missing[np.repeat(same, np.diff(weights.offsets))]
    present = values.present[np.repeat(same, np.diff(values.offsets))]
    ends = np.concatenate([[0], np.cumsum(np.where(same, np.diff(values.offsets), 0))])
    return same & (found | _any(lacking & present, ends))


def weighted_lists(values: Items, weights: Weights) -> tuple[pa.Array, pa.Array]:
    """Values that are there, and their weights, as lists of equal length.

    Rows whose lists differ in length come out empty.
    """
    lengths = np.diff(values.offsets)
    same = lengths == np.diff(weights.offsets)
    kept = values.present & np.repeat(same, lengths)
    of_values = np.repeat(same, lengths)
    of_weights = np.repeat(same, np.diff(weights.offsets))
    numbers = weights.numbers.number[of_weights][values.present[of_values]]
    ends = np.concatenate([[0], np.cumsum(kept)])[values.offsets]
    offsets = pa.array(ends.astype(np.int64))
    texts = values.text.filter(pa.array(kept))
    found = pa.array(numbers, pa.float32())
    return (
        pa.LargeListArray.from_arrays(offsets, texts),
        pa.LargeListArray.from_arrays(offsets, found),
    )


def _any(items: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Which rows have such an item."""
    before = np.concatenate([[0], np.cumsum(items)])
    return before[offsets[1:]] > before[offsets[:-1]]
