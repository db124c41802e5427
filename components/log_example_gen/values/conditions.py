"""Conditions on columns of any type."""

import operator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.values.column_text import column_text
from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.numbers import Numbers, column_numbers
from mtlx.transform.contract.rows.condition import Condition

_OPERATORS = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


def held(condition: Condition, values: pa.Array, markers: MissingMarkers) -> Numbers:
    """Where a condition holds.

    Args:
        condition: on the column.
        values: of the column, ``(n,)``.
        markers: of what is missing.

    Returns:
        1 where it holds, else 0, NaN where a value is missing or bad; bad is what is no number,
        and for a list of texts what is not UTF-8.

    Raises:
        pa.ArrowNotImplementedError: a type that has no numbers, or no texts.
    """
    if condition.texts is None:
        numbers = column_numbers(values, markers)
        found = _OPERATORS[condition.sign](numbers.number, condition.limit)
        number = np.where(np.isnan(numbers.number), np.nan, found)
        return Numbers(number, numbers.missing, numbers.bad)
    column = column_text(values)
    text = markers.without_texts(column.text)
    bad = np.zeros(len(values), bool) if column.broken is None else column.broken
    missing = text.is_null().to_numpy(zero_copy_only=False) & ~bad
    inside = pc.is_in(text, value_set=pa.array(condition.texts, text.type))
    found = inside.to_numpy(zero_copy_only=False).astype(np.float64)
    return Numbers(np.where(missing | bad, np.nan, found), missing, bad)
