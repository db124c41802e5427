"""The order in which slices are shown."""

import math

from mtlx.components.slice_evaluation.slices import MISSING, SliceKey


class SliceOrder:
    """Sorts slices: overall, then by configured cross, then by value.

    Numbers stand by their size, before texts; the missing value is the last.

    Args:
        crosses: shown keys of each configured cross, in order.
        first_values: per shown key the order of its values, where the data contract has one.
    """

    def __init__(self, crosses: list[list[str]], first_values: dict[str, list[str]]):
        self._crosses = {(): -1} | {tuple(keys): place for place, keys in enumerate(crosses)}
        self._places = {
            key: {value: place for place, value in enumerate(values)}
            for key, values in first_values.items()
        }

    def __call__(self, key: SliceKey) -> tuple[int, list[tuple[int, float, str]]]:
        """What a slice is sorted by."""
        cross = self._crosses[tuple(name for name, _ in key)]
        places = [
            (
                (1 << 31) if value == MISSING else self._places.get(name, {}).get(value, 1 << 30),
                _number(value),
                value,
            )
            for name, value in key
        ]
        return cross, places


def _number(value: str) -> float:
    """A value as a number; infinity, behind all numbers, for any other text."""
    try:
        number = float(value)
    except ValueError:
        return math.inf
    return number if math.isfinite(number) else math.inf
