"""What has to become of a row, told value by value, without any code that is tried.

As `docs/data.md` has it: of several values, their weights, vectors, behaviours, weights of rows,
numbers to predict, and conditions.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

KEPT, FILTERED, MALFORMED, REFUSED = "kept", "filtered", "malformed", "refused"

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BLANKS = " \t\n\v\f\r"
#: In the place of a number.
_MISSING, _BAD = "missing", "bad"


def fate(row: Mapping[str, Any]) -> str:
    """What becomes of a row of `benchmarks.fuzz_columns.CONTRACT`.

    Args:
        row: values by column: texts, numbers, None or lists of these.
    """
    row = {name: _decoded(value) for name, value in row.items()}
    if _is_broken(row["country"]):
        return MALFORMED
    if row["country"] not in ("de", "ö"):
        return FILTERED
    price = _number(row["price"])
    if price == _BAD:
        return REFUSED
    if price == _MISSING or price > 100:
        return FILTERED
    if any(map(_is_broken, row.values())):
        return MALFORMED
    weighted = (
        (_items(row["tags"]), [_number(item) for item in _items(row["tag_weights"])]),
        tuple(map(list, zip(*map(_marked, _items(row["marked"])), strict=True))) or ([], []),
    )
    if any(_wrong_weights(*pair) for pair in weighted) or _wrong_vector(row["text"], 3):
        return MALFORMED
    users, shops = _items(row["users"]), _items(row["shops"])
    if len(users) != len(shops) and not all(map(_absent, [*users, *shops])):
        return MALFORMED
    watch = _number(row["watch"])
    if watch == _BAD:
        return REFUSED
    if watch == _MISSING or watch <= 0:
        return MALFORMED
    importance = _number(row["importance"])
    return MALFORMED if isinstance(importance, str) or importance < 0 else KEPT


def _decoded(value: Any) -> Any:
    """Bytes as text, with a replacement character where they are no UTF-8."""
    if isinstance(value, list):
        return list(map(_decoded, value))
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _is_broken(value: Any) -> bool:
    """Whether a text, or one in a list, is no UTF-8."""
    values = value if isinstance(value, list) else [value]
    return any("\ufffd" in item for item in values if isinstance(item, str))


def _absent(value: Any) -> bool:
    return value is None or not value.strip(_BLANKS)


def _number(value: Any) -> float | str:
    """A number of float32, `_MISSING` or `_BAD`."""
    if isinstance(value, str):
        value = value.strip(_BLANKS)
        if value and not _NUMBER.fullmatch(value):
            return _BAD
    if value is None or value == "":
        return _MISSING
    number = float(value)
    if math.isnan(number):
        return _MISSING
    with np.errstate(over="ignore"):
        return number if np.isfinite(np.float32(number)) else _BAD


def _items(value: Any) -> list[Any]:
    """The items of a list, or of a text; a list that is null has none."""
    if value is None or isinstance(value, list):
        return value or []
    if isinstance(value, float | int | Decimal):
        raise TypeError(f"no list and no text: {value!r}")
    return [""] if _absent(value) else value.split("|")


def _marked(item: str | None) -> tuple[str | None, float | str]:
    """Value and weight of ``drama:0.7``."""
    if item is None:
        return None, _MISSING
    value, mark, weight = item.rpartition(":")
    return (value, _number(weight)) if mark else (item, _MISSING)


def _wrong_weights(values: list[str | None], weights: list[float | str]) -> bool:
    """Whether values and weights do not go together."""
    present = [not _absent(value) for value in values]
    if len(values) != len(weights):
        return any(present) or any(weight != _MISSING for weight in weights)
    return any(
        weight == _BAD or (there if weight == _MISSING else weight < 0)
        for there, weight in zip(present, weights, strict=True)
    )


def _wrong_vector(value: Any, size: int) -> bool:
    """Whether a vector is neither missing nor of so many finite numbers."""
    numbers = [_number(item) for item in _items(value)]
    if not numbers or numbers == [_MISSING]:
        return False
    return len(numbers) != size or any(isinstance(number, str) for number in numbers)
