"""Columns of any type as numbers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.values.column_text import column_text
from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers

#: A decimal number. Arrow's parser knows no plus sign, and knows words for infinity and NaN.
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Numbers:
    """A column's numbers.

    Attributes:
        number: ``(n,)`` float64, NaN where there is none.
        missing: ``(n,)`` bool.
        bad: ``(n,)`` bool, values that are no finite float32, which is what examples hold.
    """

    number: np.ndarray
    missing: np.ndarray
    bad: np.ndarray


def column_numbers(values: pa.Array, markers: MissingMarkers) -> Numbers:
    """Converts a column of texts, numbers, decimals or truth values.

    Raises:
        pa.ArrowNotImplementedError: a type without numbers, say a time or a list.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return column_numbers(values.dictionary_decode(), markers)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        columns = column_text(values)
        missing = markers.among_texts(columns.text)
        if columns.broken is not None:
            missing &= ~columns.broken
        number = _parsed(columns.text, missing)
    elif pa.types.is_float16(kind):
        number = values.to_numpy(zero_copy_only=False).astype(np.float64)
        missing = np.isnan(number)
    elif pa.types.is_temporal(kind):
        # Arrow counts the days or seconds of some of these types, of others not.
        raise pa.ArrowNotImplementedError("a time is no number")
    else:
        number = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        missing = np.isnan(number)
    missing = missing | (markers.among_numbers(number) & ~np.isnan(number))
    with np.errstate(over="ignore"):
        bad = ~missing & ~np.isfinite(number.astype(np.float32))
    return Numbers(np.where(missing | bad, np.nan, number), missing, bad)


def _parsed(text: pa.Array, missing: np.ndarray) -> np.ndarray:
    """Texts as float64; NaN for what is missing or no number."""
    bare = pc.ascii_trim_whitespace(text)
    if missing.sum() > text.null_count:
        bare = pc.if_else(pa.array(missing), pa.scalar(None, bare.type), bare)
    try:
        number = pc.cast(bare, pa.float64())
    except pa.ArrowInvalid:
        decimal = pc.match_substring_regex(bare, NUMBER)
        bare = pc.if_else(decimal, bare, pa.scalar(None, bare.type))
        number = pc.cast(pc.replace_substring_regex(bare, r"^\+", ""), pa.float64())
    return number.to_numpy(zero_copy_only=False)
