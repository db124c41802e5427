"""Checks rows against the data contract and turns their columns into the types of tf.Examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.checks.label_checks import LabelChecks
from mtlx.components.log_example_gen.checks.row_batch import RowBatch
from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import (
    BAD_WEIGHT,
    NO_TABLE_ROW,
    NOT_FINITE,
    NOT_UTF_8,
    OTHER_SIZE,
    UNEQUAL_LENGTHS,
    UNEQUAL_WEIGHTS,
    UNKNOWN_DOMAIN,
    Rejection,
)
from mtlx.components.log_example_gen.values.column_text import column_text
from mtlx.components.log_example_gen.values.lists.behaviours import Items, aligned, unequal
from mtlx.components.log_example_gen.values.lists.list_items import flat_items, is_list
from mtlx.components.log_example_gen.values.lists.vectors import vectors
from mtlx.components.log_example_gen.values.lists.weighted_values import (
    Weights,
    bad_weights,
    marked_apart,
    other_lengths,
    weighted_lists,
)
from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.number_hints import number_hint
from mtlx.components.log_example_gen.values.numbers import Numbers, column_numbers
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import (
    CategoricalFeature,
    FeatureKind,
    MultipleFeature,
    NumericFeature,
    SequenceFeature,
    VectorFeature,
    WeightsFeature,
)
from mtlx.transform.contract.rows.condition import Condition


@dataclass
class CheckedRows:
    """Rows that passed, as the columns of tf.Examples.

    Attributes:
        examples: every column a list column: large_binary, float32 or int64 items.
        kept: ``(n,)`` bool, which of the input rows are in `examples`.
        rejected: the others, but for those that are filtered.
        filtered: number of rows that do not meet `DataSettings.where`.
    """

    examples: pa.RecordBatch
    kept: np.ndarray
    rejected: list[Rejection] = field(default_factory=list)
    filtered: int = 0


class RowChecks:
    """Converts batches of raw rows.

    Args:
        contract: the data contract.
        missing_label: what becomes of a row without a label, as in `DataSettings`.
        labels: whether labels and weights are read; rows that are only scored may have none.
        where: conditions that rows have to meet, as in `DataSettings`.
    """

    def __init__(
        self,
        contract: DataContract,
        missing_label: Literal["refuse", "quarantine"] = "refuse",
        labels: bool = True,
        where: Sequence[Condition] = (),
    ) -> None:
        self._contract = contract
        self._beside = LabelChecks(contract, missing_label, labels, where)
        self._markers = MissingMarkers(contract)
        # Of the numbers in a list none stands for a missing value.
        self._no_markers = MissingMarkers(contract.model_copy(update={"missing": ("",)}))
        self._checks: dict[type[FeatureKind], Callable[[str, RowBatch], dict[str, pa.Array]]] = {
            CategoricalFeature: self._category,
            NumericFeature: self._number,
            SequenceFeature: self._behaviours,
            MultipleFeature: self._values,
            VectorFeature: self._vectors,
            WeightsFeature: lambda *_: {},  # They come with the values that they are of.
        }

    def columns(self) -> list[str]:
        """Columns of the log that contract and conditions name."""
        names = [self._contract.column(name) for name in self._contract.features]
        return list(dict.fromkeys([*names, *self._beside.columns()]))

    def check(self, rows: Rows, file: str) -> CheckedRows:
        """Checks and converts one batch.

        Raises:
            InputRefused: a label outside {0, 1}, or a label without its parent's; a category that
                is a fraction or too large to be exact; a column of a type that does not fit; what
                is no number where a condition or a regression needs one.
        """
        batch = RowBatch(rows, file)
        for column, lacking in rows.unjoined.items():
            batch.reject(column, rows.columns[column], lacking, NO_TABLE_ROW)
        filtered = self._beside.filtered(batch)
        columns: dict[str, pa.Array] = {}
        for name, feature in self._contract.features.items():
            columns |= self._checks[type(feature)](name, batch)
        beside = {**self._beside.labels(batch), **self._beside.weights(batch)}
        examples = {
            name: _as_lists(columns[name], feature)
            for name, feature in self._contract.features.items()
        }
        examples |= {name: _one_each(values) for name, values in beside.items()}
        table = pa.RecordBatch.from_arrays(list(examples.values()), names=list(examples))
        if not batch.kept.all():
            table = table.filter(pa.array(batch.kept))
        return CheckedRows(table, batch.kept, batch.rejected, filtered)

    def _column(self, name: str, batch: RowBatch) -> tuple[str, pa.Array]:
        """A feature's column, and what stands in it."""
        column = self._contract.column(name)
        return column, batch.rows.columns[column].combine_chunks()

    def _category(self, name: str, batch: RowBatch) -> dict[str, pa.Array]:
        """One text a row."""
        column, values = self._column(name, batch)
        text = self._markers.without_texts(self._texts(values, batch, column))
        found, unknown = self._unknown_domain(name, text)
        batch.reject(column, values, unknown, UNKNOWN_DOMAIN)
        return {name: found}

    def _number(self, name: str, batch: RowBatch) -> dict[str, pa.Array]:
        """One number a row."""
        column, values = self._column(name, batch)
        numbers = batch.typed(self._numbers, values, column)
        batch.reject(column, values, numbers.bad, "not a number", number_hint)
        return {name: pa.array(numbers.number, mask=np.isnan(numbers.number))}

    def _values(self, name: str, batch: RowBatch) -> dict[str, pa.Array]:
        """Several texts a row, and their weights where they have such."""
        items = self._items(name, batch)
        named = self._contract.weights_of(name)
        if named is None:
            return {name: items.lists()}
        feature = self._contract.features[named]
        mark = feature.mark if isinstance(feature, WeightsFeature) else None
        column, values = self._column(named, batch)
        if mark is None:
            weights = Weights(*self._list_numbers(named, batch))
        else:
            text, found = marked_apart(items.text, mark)
            items = Items(text, ~self._markers.among_texts(text), items.offsets)
            weights = Weights(column_numbers(found, self._no_markers), items.offsets)
        batch.reject(column, values, other_lengths(items, weights), UNEQUAL_WEIGHTS)
        batch.reject(column, values, bad_weights(items, weights), BAD_WEIGHT)
        return dict(zip((name, named), weighted_lists(items, weights), strict=True))

    def _vectors(self, name: str, batch: RowBatch) -> dict[str, pa.Array]:
        """A vector a row."""
        feature = self._contract.features[name]
        size = feature.size if isinstance(feature, VectorFeature) else 0
        column, values = self._column(name, batch)
        found = vectors(*self._list_numbers(name, batch), size)
        batch.reject(column, values, found.not_finite, NOT_FINITE)
        batch.reject(column, values, found.other_length, OTHER_SIZE)
        return {name: found.lists}

    def _list_numbers(self, name: str, batch: RowBatch) -> tuple[Numbers, np.ndarray]:
        """The numbers of a column's lists, and where each row's begin."""
        items, offsets = flat_items(self._lists(name, batch))
        column = self._contract.column(name)
        convert = lambda values: column_numbers(values, self._no_markers)  # noqa: E731
        return batch.typed(convert, items, column), offsets

    def _lists(self, name: str, batch: RowBatch) -> pa.Array:
        """A column of lists; text is split at the feature's separator."""
        column, values = self._column(name, batch)
        if is_list(values.type):
            return values
        text = self._markers.without_texts(self._texts(values, batch, column))
        separator = getattr(self._contract.features[name], "separator", "|")
        return pc.split_pattern(pc.fill_null(text, ""), separator)

    def _numbers(self, values: pa.Array) -> Numbers:
        return column_numbers(values, self._markers)

    @staticmethod
    def _texts(values: pa.Array, batch: RowBatch, column: str) -> pa.Array:
        """Any column as text with nulls for values that the log does not have."""
        found = batch.typed(column_text, values, column)
        batch.reject(column, values, found.broken, NOT_UTF_8)
        if found.inexact is not None:
            batch.refuse(column, values, found.inexact.rows, found.inexact.problem)
        return found.text

    def _unknown_domain(self, name: str, text: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
        """The domain's column with unlisted values gathered, or which rows are to be refused."""
        domain = self._contract.domain
        if domain is None or domain.feature != name:
            return text, None
        known = pc.is_in(text, value_set=pa.array(domain.values))
        if domain.other is not None:
            return pc.if_else(known, text, pa.scalar(domain.other)), None
        return text, ~known.to_numpy(zero_copy_only=False)

    def _behaviours(self, name: str, batch: RowBatch) -> dict[str, pa.Array]:
        """A sequence, and those beside it, as lists of texts."""
        if self._contract.sequence(name).beside is not None:
            return {}  # It comes with the sequence that it stands beside.
        parts = self._contract.parts(name)
        items = [self._items(part, batch) for part in parts]
        if len(parts) == 1:
            return {name: items[0].lists()}
        for part, found in zip(parts[1:], items[1:], strict=True):
            column = self._contract.column(part)
            values = batch.rows.columns[column].combine_chunks()
            batch.reject(column, values, unequal([items[0], found]), UNEQUAL_LENGTHS)
        return dict(zip(parts, aligned(items), strict=True))

    def _items(self, name: str, batch: RowBatch) -> Items:
        """A column of several texts a row, checked and taken apart."""
        column, values = self._column(name, batch)
        items, offsets = flat_items(self._lists(name, batch))
        found = batch.typed(column_text, items, column)
        if found.broken is not None:
            batch.reject(column, values, _any_item(found.broken, offsets), NOT_UTF_8)
        if found.inexact is not None:
            wrong = _any_item(found.inexact.rows, offsets)
            batch.refuse(column, values, wrong, found.inexact.problem)
        return Items(found.text, ~self._markers.among_texts(found.text), offsets)


def _any_item(bad: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Which rows own a bad item, where each row's items begin at its offset."""
    before = np.concatenate([[0], np.cumsum(bad)])
    return before[offsets[1:]] > before[offsets[:-1]]


def _as_lists(values: pa.Array, feature: FeatureKind) -> pa.Array:
    """A column as lists of the type that tf.Examples hold; a null becomes an empty list."""
    kind = pa.float32() if feature.holds == "number" else pa.large_binary()
    if not feature.takes_one:
        return pc.cast(values, pa.large_list(kind))
    present = values.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(present)]).astype(np.int64)
    items = pc.cast(values.drop_null(), kind)
    return pa.LargeListArray.from_arrays(pa.array(offsets), items)


def _one_each(values: pa.Array) -> pa.Array:
    """A column without nulls as lists of one."""
    return pa.LargeListArray.from_arrays(pa.array(np.arange(len(values) + 1)), values)
