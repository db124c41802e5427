"""The unit of Unix times, by their size: a time of our days has as many digits as its unit asks."""

import numpy as np

#: By index: a thousandth of the one before.
UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")

#: 1973 to 2286, in each unit; what lies between them is no Unix time of our days.
_LOWEST, _HIGHEST = 1e8, 1e10

_FOLDS = {1: "a thousandfold", 2: "a millionfold", 3: "a billionfold"}


def units(values: np.ndarray) -> np.ndarray:
    """Index among `UNITS` by value, ``(n,)`` int64; -1 where it looks like none."""
    found = np.full(len(values), -1, np.int64)
    for index in range(len(UNITS)):
        scale = 1000.0**index
        found[(values >= _LOWEST * scale) & (values < _HIGHEST * scale)] = index
    return found


def unit(value: int | float) -> int | None:
    """Index among `UNITS`, or None."""
    index = int(units(np.array([value], np.float64))[0])
    return None if index < 0 else index


def fold(value: int, boundary: int) -> str:
    """How far values of one unit lie from a boundary in another: ``a thousandfold above``."""
    return f"{_FOLDS[abs(value - boundary)]} {'above' if value > boundary else 'below'}"
