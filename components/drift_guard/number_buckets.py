"""Buckets of a number, and how many rows of two samples lie in each."""

import numpy as np

from mtlx.components.batch_statistics_gen.value_counts import NumberCounts, number_of

#: So many buckets hold equally many rows before.
_BUCKETS = 20


def bucketed(new: NumberCounts, before: NumberCounts) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Counts of both samples in the same buckets.

    Buckets are made of the rows before. A value that fills one by itself (a 0 that most rows
    have) is one, so that no width of a bucket blurs it; so is all that lies below the least or
    above the largest number before.

    Args:
        new: of the newest rows.
        before: of the rows before, not empty.

    Returns:
        Counts of the newest rows, counts of the rows before, and names of the buckets.
    """
    level = max(new.level, before.level)
    new, before = new.at_level(level), before.at_level(level)
    ends = _ends(before)
    names = _names(ends, level)
    counts = [
        np.bincount(np.searchsorted(ends, one.codes), weights=one.counts, minlength=len(ends) + 1)
        for one in (new, before)
    ]
    used = (counts[0] > 0) | (counts[1] > 0)
    return counts[0][used], counts[1][used], [n for n, u in zip(names, used, strict=True) if u]


def _ends(before: NumberCounts) -> np.ndarray:
    """The last code of each bucket but the last one, which lies above all numbers before."""
    least = before.counts.sum() / _BUCKETS
    ends = [int(before.codes[0]) - 1]
    held = 0
    for code, count in zip(before.codes.tolist(), before.counts.tolist(), strict=True):
        if count >= least:
            # Whatever lies between the bucket before and this value is not of this value.
            ends += [code - 1, code]
            held = 0
            continue
        held += count
        if held >= least:
            ends.append(code)
            held = 0
    ends.append(int(before.codes[-1]))
    return np.unique(np.array(ends, np.int64))


def _names(ends: np.ndarray, level: int) -> list[str]:
    """Every bucket in words: one number, or the range from the end of the bucket before."""
    numbers = [number_of(int(end), level) for end in ends]
    names = [f"below {number_of(int(ends[0]) + 1, level):.6g}"]
    for place in range(1, len(ends)):
        first = number_of(int(ends[place - 1]) + 1, level)
        one = ends[place] == ends[place - 1] + 1
        names.append(f"{first:.6g}" if one else f"{first:.6g} to {numbers[place]:.6g}")
    return [*names, f"above {numbers[-1]:.6g}"]
