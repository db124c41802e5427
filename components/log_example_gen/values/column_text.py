"""Columns of any type as the texts that are categories, items of sequences and keys.

A value has one text, whatever type its column has in a shard: an id is ``5345439`` as an integer
of any width, as a double (which a null among integers makes of a column) and as a decimal.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: From here on neighbouring whole numbers share one floating-point number, by bits.
_EXACT = {16: 2**11, 32: 2**24, 64: 2**53}


@dataclass(frozen=True)
class Inexact:
    """Numbers without a text that surely is that of the log's value.

    Attributes:
        rows: ``(n,)`` bool, which ones.
        problem: what is wrong with them, and what helps.
    """

    rows: np.ndarray
    problem: str


@dataclass(frozen=True)
class ColumnText:
    """A column's texts.

    Attributes:
        text: ``(n,)`` string, null where the log has no value (null, NaN).
        broken: ``(n,)`` bool, values that are no UTF-8 (null in `text`), or None.
        inexact: what must be refused, or None.
    """

    text: pa.Array
    broken: np.ndarray | None = None
    inexact: Inexact | None = None


def column_text(values: pa.Array) -> ColumnText:
    """Converts a column.

    Whole numbers of every type become their digits; decimals lose the zeros at their end; times
    become ``2026-01-31 12:30:00.5`` (a time zone's times those of UTC, with ``Z``), dates
    ``2026-01-31``, truth values ``true`` and ``false``.

    Args:
        values: ``(n,)`` of any Arrow type that is no list, struct or map.

    Raises:
        pa.ArrowNotImplementedError: a type without texts.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return column_text(values.dictionary_decode())
    if pa.types.is_string(kind):
        return ColumnText(values)
    if _is_binary(kind):
        return _decoded(values)
    if pa.types.is_floating(kind):
        return _whole(values)
    if pa.types.is_decimal(kind):
        return ColumnText(_decimals(values))
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        # Some versions of Arrow count units, others refuse.
        raise pa.ArrowNotImplementedError("a span of time has no text of its own")
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        values = pc.cast(values, pa.timestamp(kind.unit, "UTC"))
    text = pc.cast(values, pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        # Shards may differ in their unit, and so in the zeros of the fraction.
        text = pc.replace_substring_regex(text, r"(\.\d*?)0+(Z?)$", r"\1\2")
        text = pc.replace_substring_regex(text, r"\.(Z?)$", r"\1")
    return ColumnText(text)


def shown(values: pa.Array | pa.ChunkedArray, index: int) -> str:
    """A value for messages and for the quarantine, whatever its bytes are."""
    value = values[index]
    try:
        return str(value.as_py())
    except (UnicodeDecodeError, ValueError, OverflowError):
        # Python has no such text or date.
        buffer = value.as_buffer() if hasattr(value, "as_buffer") else None
        return repr(buffer.to_pybytes()) if buffer is not None else f"a {value.type}"


def _is_binary(kind: pa.DataType) -> bool:
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _decoded(values: pa.Array) -> ColumnText:
    """Bytes as text; those that are no UTF-8 are null."""
    if pa.types.is_fixed_size_binary(values.type):
        values = pc.cast(values, pa.binary())
    try:
        return ColumnText(pc.cast(values, pa.string()))
    except pa.ArrowInvalid:
        texts, broken = [], np.zeros(len(values), bool)
        for index, value in enumerate(values.to_pylist()):
            try:
                texts.append(None if value is None else value.decode())
            except UnicodeDecodeError:
                texts.append(None)
                broken[index] = True
        return ColumnText(pa.array(texts, pa.string()), broken)


def _whole(values: pa.Array) -> ColumnText:
    """Floating-point numbers as integers; NaN is no value."""
    number = values.to_numpy(zero_copy_only=False).astype(np.float64)
    absent = np.isnan(number)
    size = np.abs(number)
    limit = _EXACT[values.type.bit_width]
    with np.errstate(invalid="ignore"):
        fractions = ~absent & (np.floor(number) != number) | np.isinf(number)
        large = ~absent & ~fractions & (size > limit)
    inexact = None
    if fractions.any():
        inexact = Inexact(
            fractions,
            "a category should be text or a whole number, and this is a fraction: make the "
            "feature numeric, or write the column as text",
        )
    elif large.any():
        inexact = Inexact(
            large,
            f"a {values.type} holds whole numbers exactly up to {limit} only: write the column as "
            "integers or as text",
        )
    whole = np.where(absent | fractions | large, 0.0, number).astype(np.int64)
    return ColumnText(pc.cast(pa.array(whole, mask=absent), pa.string()), None, inexact)


def _decimals(values: pa.Array) -> pa.Array:
    """Decimals without an exponent, and without zeros behind the last digit of a fraction."""
    texts = [None if value is None else format(value, "f") for value in values.to_pylist()]
    return pa.array(
        [text.rstrip("0").rstrip(".") if text and "." in text else text for text in texts],
        pa.string(),
    )
