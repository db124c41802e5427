"""Checks rows against the data contract and turns their columns into the types of tf.Examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import (
    BAD_WEIGHT,
    MISSING_WEIGHT,
    NEGATIVE_WEIGHT,
    NOT_ABOVE_ZERO,
    NOT_FINITE,
    OTHER_SIZE,
    UNEQUAL_LENGTHS,
    UNEQUAL_WEIGHTS,
    UNKNOWN_DOMAIN,
    InputRefused,
    Rejection,
)
from mtlx.components.log_example_gen.values.column_text import column_text, shown
from mtlx.components.log_example_gen.values.conditions import held
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
from mtlx.transform.contract.rows.task import Task

Converted = TypeVar("Converted")


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
        self._contract, self._missing_label = contract, missing_label
        self._tasks = contract.tasks if labels else {}
        self._weights = contract.weight_columns if labels else {}
        self._where = where
        self._markers = MissingMarkers(contract)
        # Of the numbers in a list none stands for a missing value.
        self._no_markers = MissingMarkers(contract.model_copy(update={"missing": ("",)}))
        self._checks: dict[type[FeatureKind], Callable[[str, _Batch], dict[str, pa.Array]]] = {
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
        names += [task.label_column for task in self._tasks.values()]
        names += [weight.column for weight in self._weights.values()]
        return list(dict.fromkeys([*names, *(one.column for one in self._where)]))

    def check(self, rows: Rows, file: str) -> CheckedRows:
        """Checks and converts one batch.

        Raises:
            InputRefused: a label outside {0, 1}, or a label without its parent's; a category that
                is a fraction or too large to be exact; a column of a type that does not fit; what
                is no number where a condition or a regression needs one.
        """
        batch = _Batch(rows, file)
        filtered = self._filtered(batch)
        columns: dict[str, pa.Array] = {}
        for name, feature in self._contract.features.items():
            columns |= self._checks[type(feature)](name, batch)
        beside = {**self._labels(batch), **self._weights_of(batch)}
        examples = {
            name: _as_lists(columns[name], feature)
            for name, feature in self._contract.features.items()
        }
        examples |= {name: _one_each(values) for name, values in beside.items()}
        table = pa.RecordBatch.from_arrays(list(examples.values()), names=list(examples))
        if not batch.kept.all():
            table = table.filter(pa.array(batch.kept))
        return CheckedRows(table, batch.kept, batch.rejected, filtered)

    def _column(self, name: str, batch: "_Batch") -> tuple[str, pa.Array]:
        """A feature's column, and what stands in it."""
        column = self._contract.column(name)
        return column, batch.rows.columns[column].combine_chunks()

    def _category(self, name: str, batch: "_Batch") -> dict[str, pa.Array]:
        """One text a row."""
        column, values = self._column(name, batch)
        text = self._markers.without_texts(self._texts(values, batch, column))
        found, unknown = self._unknown_domain(name, text)
        batch.reject(column, values, unknown, UNKNOWN_DOMAIN)
        return {name: found}

    def _number(self, name: str, batch: "_Batch") -> dict[str, pa.Array]:
        """One number a row."""
        column, values = self._column(name, batch)
        numbers = _typed(self._numbers, values, batch, column)
        batch.reject(column, values, numbers.bad, "not a number", number_hint)
        return {name: pa.array(numbers.number, mask=np.isnan(numbers.number))}

    def _values(self, name: str, batch: "_Batch") -> dict[str, pa.Array]:
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

    def _vectors(self, name: str, batch: "_Batch") -> dict[str, pa.Array]:
        """A vector a row."""
        feature = self._contract.features[name]
        size = feature.size if isinstance(feature, VectorFeature) else 0
        column, values = self._column(name, batch)
        found = vectors(*self._list_numbers(name, batch), size)
        batch.reject(column, values, found.not_finite, NOT_FINITE)
        batch.reject(column, values, found.other_length, OTHER_SIZE)
        return {name: found.lists}

    def _list_numbers(self, name: str, batch: "_Batch") -> tuple[Numbers, np.ndarray]:
        """The numbers of a column's lists, and where each row's begin."""
        items, offsets = flat_items(self._lists(name, batch))
        column = self._contract.column(name)
        convert = lambda values: column_numbers(values, self._no_markers)  # noqa: E731
        return _typed(convert, items, batch, column), offsets

    def _lists(self, name: str, batch: "_Batch") -> pa.Array:
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
    def _texts(values: pa.Array, batch: "_Batch", column: str) -> pa.Array:
        """Any column as text with nulls for values that the log does not have."""
        found = _typed(column_text, values, batch, column)
        batch.reject(column, values, found.broken, _NOT_UTF_8)
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

    def _behaviours(self, name: str, batch: "_Batch") -> dict[str, pa.Array]:
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

    def _items(self, name: str, batch: "_Batch") -> Items:
        """A column of several texts a row, checked and taken apart."""
        column, values = self._column(name, batch)
        items, offsets = flat_items(self._lists(name, batch))
        found = _typed(column_text, items, batch, column)
        if found.broken is not None:
            batch.reject(column, values, _any_item(found.broken, offsets), _NOT_UTF_8)
        if found.inexact is not None:
            wrong = _any_item(found.inexact.rows, offsets)
            batch.refuse(column, values, wrong, found.inexact.problem)
        return Items(found.text, ~self._markers.among_texts(found.text), offsets)

    def _filtered(self, batch: "_Batch") -> int:
        """Leaves out, first of all, the rows that do not meet the conditions; their number."""
        for condition in self._where:
            values = batch.rows.columns[condition.column].combine_chunks()
            found = self._held(condition, values, batch, "data.where")
            batch.kept &= found.number == 1.0
        return int(batch.kept.size - batch.kept.sum())

    def _held(self, condition: Condition, values: pa.Array, batch: "_Batch", key: str) -> Numbers:
        """Where a condition holds; refuses what can't be compared."""
        found = _typed(lambda some: held(condition, some, self._markers), values, batch,
                       condition.column)  # fmt: skip
        if condition.texts is None:
            problem = (
                f"{key} compares it with {condition.limit:.15g}, and this is no number; for texts "
                "use one_of"
            )
            batch.refuse(condition.column, values, found.bad, problem)
        return found

    def _labels(self, batch: "_Batch") -> dict[str, pa.Array]:
        """Labels as int64, of regressions float32 and NaN outside of the population.

        Refuses what contradicts the contract in a row that is kept.
        """
        labels: dict[str, np.ndarray] = {}
        for name, task in self._tasks.items():
            column = task.label_column
            values = batch.rows.columns[column].combine_chunks()
            numbers = self._label_numbers(name, values, batch)
            if task.is_regression:
                numbers = self._within(task, numbers, labels)
            if self._missing_label == "quarantine":
                batch.reject(column, values, numbers.missing, "missing label")
            expected = "a number" if task.is_regression else "0 or 1"
            batch.refuse(
                column,
                values,
                numbers.missing,
                f"a label should be {expected}, and here is none; set data.missing_label: "
                "quarantine to leave such rows out, below data.max_malformed_share",
            )
            if task.is_regression:
                self._check_number(name, values, numbers, batch)
                labels[task.label_key] = numbers.number.astype(np.float32)
                continue
            wrong = ~np.isin(numbers.number, (0.0, 1.0))
            batch.refuse(column, values, wrong, "a label should be 0 or 1")
            labels[task.label_key] = np.nan_to_num(numbers.number).astype(np.int64)
            if task.after is None or task.allow_without_parent:
                continue
            parent = self._tasks[task.after].label_key
            batch.refuse(
                column,
                values,
                (labels[task.label_key] == 1) & (labels[parent] == 0),
                f"{task.label_key} is 1 where {parent} is 0; if the log is right, set "
                f"tasks.{name}.allow_without_parent: true",
            )
        return {label: pa.array(values) for label, values in labels.items()}

    def _within(self, task: Task, numbers: Numbers, labels: dict[str, np.ndarray]) -> Numbers:
        """A regression's numbers on the rows of its population; elsewhere none is asked for."""
        if task.population is None:
            return numbers
        inside = labels[self._tasks[task.population].label_key] == 1
        number = np.where(inside, numbers.number, np.nan)
        return Numbers(number, numbers.missing & inside, numbers.bad & inside)

    def _label_numbers(self, name: str, values: pa.Array, batch: "_Batch") -> Numbers:
        """What a task's column says: the label, or whether the label's condition holds."""
        label = self._tasks[name].label
        if isinstance(label, Condition):
            return self._held(label, values, batch, f"tasks.{name}.label")
        return _typed(self._numbers, _truth_as_digits(values), batch, label)

    def _check_number(self, name: str, values: pa.Array, numbers: Numbers, batch: "_Batch") -> None:
        """Refuses texts for numbers; leaves out what has no logarithm where one is taken."""
        task, column = self._tasks[name], self._tasks[name].label_column
        problem = f"tasks.{name} is a regression, and this is no number (or none of float32)"
        batch.refuse(column, values, numbers.bad, problem)
        if task.loss == "log_normal":
            batch.reject(column, values, numbers.number <= 0, NOT_ABOVE_ZERO)

    def _weights_of(self, batch: "_Batch") -> dict[str, pa.Array]:
        """Weights as float32, cut at their `clip`."""
        found = {}
        for name, weight in self._weights.items():
            values = batch.rows.columns[weight.column].combine_chunks()
            numbers = _typed(self._numbers, values, batch, weight.column)
            batch.reject(weight.column, values, numbers.missing, MISSING_WEIGHT)
            batch.reject(weight.column, values, numbers.bad, "weight is no finite number")
            batch.reject(weight.column, values, numbers.number < 0, NEGATIVE_WEIGHT)
            number = np.nan_to_num(numbers.number)
            if weight.clip is not None:
                number = np.minimum(number, weight.clip)
            found[name] = pa.array(number.astype(np.float32))
        return found


class _Batch:
    """A batch of raw rows, and which of them are still to be taken over.

    Args:
        rows: the batch.
        file: path of its file, for messages.
    """

    def __init__(self, rows: Rows, file: str) -> None:
        self.rows, self.file = rows, file
        self.kept = np.ones(rows.columns.num_rows, bool)
        self.rejected = list(rows.rejected)

    def reject(
        self,
        column: str,
        values: pa.Array,
        bad: np.ndarray | None,
        reason: str,
        hint: Callable[[str], str] | None = None,
    ) -> None:
        """Leaves rows out; a row counts once, by its first fault."""
        if bad is None or not (bad & self.kept).any():
            return
        bad = bad & self.kept
        self.kept &= ~bad
        for index in np.flatnonzero(bad):
            value = shown(values, int(index))
            line = int(self.rows.lines[index])
            said = hint(value) if hint else ""
            self.rejected.append(Rejection(self.file, line, column, value, reason, said))

    def refuse(self, column: str, values: pa.Array, wrong: np.ndarray, problem: str) -> None:
        """Refuses the input if a row that is kept is wrong."""
        wrong = wrong & self.kept
        if wrong.any():
            index = int(np.flatnonzero(wrong)[0])
            value = shown(values, index)
            raise InputRefused(
                f"{self.file}:{int(self.rows.lines[index])}: column {column!r}: {problem}. "
                f"Received: {value!r} ({int(wrong.sum())} such rows in this batch)"
            )


_NOT_UTF_8 = "not UTF-8"


def _typed(
    convert: Callable[[pa.Array], Converted], values: pa.Array, batch: _Batch, column: str
) -> Converted:
    """Converts a column; one of a type that cannot be converted is refused by name."""
    try:
        return convert(values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        line = int(batch.rows.lines[0]) if len(batch.rows.lines) else 1
        raise InputRefused(
            f"{batch.file}:{line}: column {column!r}: its type {values.type} does not fit the data "
            f"contract ({error}); change the feature's kind, or cast the column"
        ) from error


def _truth_as_digits(values: pa.Array) -> pa.Array:
    """Texts with true and false, in any case, as 1 and 0; other columns as they are."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    bare = pc.ascii_lower(pc.ascii_trim_whitespace(values))
    index = pc.index_in(bare, value_set=pa.array(["false", "true"], values.type))
    if index.null_count == len(index):
        return values
    return pc.coalesce(pc.take(pa.array(["0", "1"], values.type), index), values)


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
