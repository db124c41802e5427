"""Checks rows against the data contract and turns their columns into the types of tf.Examples."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.log_example_gen.readers.reader import Rows
from components.log_example_gen.rejection import InputRefused, Rejection
from transform.data_contract import (
    CategoricalFeature,
    DataContract,
    NumericFeature,
    SequenceFeature,
)

Converted = TypeVar("Converted")

#: Why a row is refused whose domain the contract does not list.
UNKNOWN_DOMAIN = "unknown domain"


@dataclass
class CheckedRows:
    """Rows that passed, as the columns of tf.Examples.

    Attributes:
        examples: every column a list column: large_binary, float32 or int64 items.
        kept: ``(n,)`` bool, which of the input rows are in `examples`.
        rejected: the others.
    """

    examples: pa.RecordBatch
    kept: np.ndarray
    rejected: list[Rejection] = field(default_factory=list)


class RowChecks:
    """Converts batches of raw rows.

    Args:
        contract: the data contract.
        empty_is_missing: an empty text is a missing value.
    """

    def __init__(self, contract: DataContract, empty_is_missing: bool) -> None:
        self._contract, self._empty_is_missing = contract, empty_is_missing

    def columns(self) -> list[str]:
        """Columns of the log that the contract names."""
        features = [self._contract.column(name) for name in self._contract.features]
        return features + [task.label for task in self._contract.tasks.values()]

    def check(self, rows: Rows, file: str) -> CheckedRows:
        """Checks and converts one batch.

        Raises:
            InputRefused: a label outside {0, 1}, or a label without its parent's.
        """
        count = rows.columns.num_rows
        kept = np.ones(count, bool)
        rejected = list(rows.rejected)
        columns: dict[str, pa.Array] = {}
        for name, feature in self._contract.features.items():
            column = self._contract.column(name)
            values = rows.columns[column].combine_chunks()
            if isinstance(feature, CategoricalFeature):
                text = self._typed(self._text, values, rows, file, column)
                columns[name], bad = self._unknown_domain(name, text)
                reason = UNKNOWN_DOMAIN
            elif isinstance(feature, NumericFeature):
                columns[name], bad = self._typed(_numbers, values, rows, file, column)
                reason = "not a number"
            else:
                items = functools.partial(self._items, feature=feature)
                columns[name], bad = self._typed(items, values, rows, file, column), None
            if bad is not None and (bad & kept).any():
                # A row counts once, by its first fault.
                bad = bad & kept
                kept &= ~bad
                rejected += _described(rows, file, column, values, bad, reason)
        labels = self._labels(rows, file, kept)
        examples = {
            name: _as_lists(values, self._contract.features[name])
            for name, values in columns.items()
        }
        examples |= {name: _one_each(values) for name, values in labels.items()}
        batch = pa.RecordBatch.from_arrays(list(examples.values()), names=list(examples))
        if not kept.all():
            batch = batch.filter(pa.array(kept))
        return CheckedRows(batch, kept, rejected)

    def _text(self, values: pa.Array) -> pa.Array:
        """Any column as text with nulls for missing values."""
        text = pc.cast(values, pa.string())
        if self._empty_is_missing:
            text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
        return text

    @staticmethod
    def _typed(
        convert: Callable[[pa.Array], Converted], values: pa.Array, rows: Rows, file: str, name: str
    ) -> Converted:
        """Converts a column; one of a type that cannot be converted is refused by name."""
        try:
            return convert(values)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            line = int(rows.lines[0]) if len(rows.lines) else 1
            raise InputRefused(
                f"{file}:{line}: column {name!r}: its type {values.type} does not fit the data "
                f"contract ({error}); change the feature's kind, or cast the column"
            ) from error

    def _unknown_domain(self, name: str, text: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
        """The domain's column with unlisted values gathered, or which rows are to be refused."""
        domain = self._contract.domain
        if domain is None or domain.feature != name:
            return text, None
        known = pc.is_in(text, value_set=pa.array(domain.values))
        if domain.other is not None:
            return pc.if_else(known, text, pa.scalar(domain.other)), None
        return text, ~known.to_numpy(zero_copy_only=False)

    def _items(self, values: pa.Array, feature: SequenceFeature) -> pa.Array:
        """A sequence column as lists of texts."""
        if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
            return pc.cast(values, pa.large_list(pa.string()))
        text = pc.fill_null(pc.cast(values, pa.string()), "")
        lists = pc.split_pattern(text, feature.separator)
        empty = pa.scalar([], lists.type)
        return pc.cast(pc.if_else(pc.equal(text, ""), empty, lists), pa.large_list(pa.string()))

    def _labels(self, rows: Rows, file: str, kept: np.ndarray) -> dict[str, pa.Array]:
        """Labels as int64; refuses what contradicts the contract in a row that is kept."""
        labels: dict[str, pa.Array] = {}
        for name, task in self._contract.tasks.items():
            values = rows.columns[task.label].combine_chunks()
            numbers, _ = self._typed(_numbers, values, rows, file, task.label)
            number = numbers.to_numpy(zero_copy_only=False)
            wrong = kept & ~np.isin(number, (0.0, 1.0))
            if wrong.any():
                raise _refusal(rows, file, task.label, values, wrong, "a label should be 0 or 1")
            labels[task.label] = np.nan_to_num(number).astype(np.int64)
            if task.after is None or task.allow_without_parent:
                continue
            parent = self._contract.tasks[task.after].label
            orphan = kept & (labels[task.label] == 1) & (labels[parent] == 0)
            if orphan.any():
                text = (
                    f"{task.label} is 1 where {parent} is 0; if the log is right, set "
                    f"tasks.{name}.allow_without_parent: true"
                )
                raise _refusal(rows, file, task.label, values, orphan, text)
        return {label: pa.array(values) for label, values in labels.items()}


#: Texts that stand for a missing number; null is one of them.
_MISSING = ("", "nan", "NaN", "null", "NULL", None)


def _numbers(values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """A column as float64 with nulls; and which values are no finite numbers."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        text = pc.utf8_trim_whitespace(values)
        missing = pc.is_in(text, value_set=pa.array(_MISSING, text.type))
        absent = missing.to_numpy(zero_copy_only=False)
        number = _parsed(pc.if_else(missing, pa.scalar(None, text.type), text))
    else:
        number = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        absent = np.isnan(number)
    # Examples hold float32: what overflows there is no number either.
    with np.errstate(over="ignore"):
        bad = ~absent & ~np.isfinite(number.astype(np.float32))
    return pa.array(number, mask=absent | bad), bad


def _parsed(text: pa.Array) -> np.ndarray:
    """Texts as float64; NaN for a null and for what is no number."""
    try:
        return pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        # Some value is no number; pandas goes on behind it, and takes ten times as long.
        return pd.to_numeric(text.to_pandas(), errors="coerce").to_numpy(np.float64)


def _as_lists(
    values: pa.Array, feature: CategoricalFeature | NumericFeature | SequenceFeature
) -> pa.Array:
    """A column as lists of the type that tf.Examples hold; a null becomes an empty list."""
    if isinstance(feature, SequenceFeature):
        return pc.cast(pc.fill_null(values, pa.scalar([], values.type)), _LISTS_OF_BYTES)
    kind = pa.float32() if isinstance(feature, NumericFeature) else pa.large_binary()
    present = values.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(present)]).astype(np.int64)
    items = pc.cast(values.drop_null(), kind)
    return pa.LargeListArray.from_arrays(pa.array(offsets), items)


def _one_each(values: pa.Array) -> pa.Array:
    """A column without nulls as lists of one."""
    return pa.LargeListArray.from_arrays(pa.array(np.arange(len(values) + 1)), values)


_LISTS_OF_BYTES = pa.large_list(pa.large_binary())


def _described(
    rows: Rows, file: str, column: str, values: pa.Array, bad: np.ndarray, reason: str
) -> list[Rejection]:
    return [
        Rejection(file, int(rows.lines[index]), column, str(values[int(index)].as_py()), reason)
        for index in np.flatnonzero(bad)
    ]


def _refusal(
    rows: Rows, file: str, column: str, values: pa.Array, bad: np.ndarray, text: str
) -> InputRefused:
    index = int(np.flatnonzero(bad)[0])
    return InputRefused(
        f"{file}:{int(rows.lines[index])}: column {column!r}: {text}. "
        f"Received: {values[index].as_py()!r} ({int(bad.sum())} such rows in this batch)"
    )
