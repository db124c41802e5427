"""What labels, weights and conditions on rows have to be."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.checks.row_batch import RowBatch
from mtlx.components.log_example_gen.rejection import (
    MISSING_WEIGHT,
    NEGATIVE_WEIGHT,
    NOT_ABOVE_ZERO,
    NOT_UTF_8,
)
from mtlx.components.log_example_gen.values.conditions import held
from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.numbers import Numbers, column_numbers
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.rows.condition import Condition
from mtlx.transform.contract.rows.task import Task


class LabelChecks:
    """Takes out of batches what is beside the features.

    Args:
        contract: the data contract.
        missing_label: what becomes of a row without a label, as in `DataSettings`.
        labels: whether labels and weights are read.
        where: conditions that rows have to meet.
    """

    def __init__(
        self,
        contract: DataContract,
        missing_label: Literal["refuse", "quarantine"],
        labels: bool,
        where: Sequence[Condition],
    ) -> None:
        self._missing_label = missing_label
        self._tasks = contract.tasks if labels else {}
        self._weights = contract.weight_columns if labels else {}
        self._where = where
        self._markers = MissingMarkers(contract)

    def columns(self) -> list[str]:
        """Columns of the log that they are told by."""
        names = [task.label_column for task in self._tasks.values()]
        names += [weight.column for weight in self._weights.values()]
        return [*names, *(one.column for one in self._where)]

    def filtered(self, batch: RowBatch) -> int:
        """Leaves out, first of all, the rows that do not meet the conditions; their number."""
        count = 0
        for condition in self._where:
            values = batch.rows.columns[condition.column].combine_chunks()
            met = self._held(condition, values, batch, "data.where").number == 1.0
            count += int((batch.kept & ~met).sum())
            batch.kept &= met
        return count

    def _held(self, condition: Condition, values: pa.Array, batch: RowBatch, key: str) -> Numbers:
        """Where a condition holds; refuses what can't be compared, leaves out what is no text."""
        found = batch.typed(
            lambda some: held(condition, some, self._markers), values, condition.column
        )
        if condition.texts is None:
            problem = (
                f"{key} compares it with {condition.limit:.15g}, and this is no number; for texts "
                "use one_of"
            )
            batch.refuse(condition.column, values, found.bad, problem)
        else:
            batch.reject(condition.column, values, found.bad, NOT_UTF_8)
        return found

    def labels(self, batch: RowBatch) -> dict[str, pa.Array]:
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

    def _label_numbers(self, name: str, values: pa.Array, batch: RowBatch) -> Numbers:
        """What a task's column says: the label, or whether the label's condition holds."""
        label = self._tasks[name].label
        if isinstance(label, Condition):
            return self._held(label, values, batch, f"tasks.{name}.label")
        return batch.typed(self._numbers, _truth_as_digits(values), label)

    def _check_number(self, name: str, values: pa.Array, numbers: Numbers, batch: RowBatch) -> None:
        """Refuses texts for numbers; leaves out what has no logarithm where one is taken."""
        task, column = self._tasks[name], self._tasks[name].label_column
        problem = f"tasks.{name} is a regression, and this is no number (or none of float32)"
        batch.refuse(column, values, numbers.bad, problem)
        if task.loss == "log_normal":
            batch.reject(column, values, numbers.number <= 0, NOT_ABOVE_ZERO)

    def weights(self, batch: RowBatch) -> dict[str, pa.Array]:
        """Weights as float32, cut at their `clip`."""
        found = {}
        for name, weight in self._weights.items():
            values = batch.rows.columns[weight.column].combine_chunks()
            numbers = batch.typed(self._numbers, values, weight.column)
            batch.reject(weight.column, values, numbers.missing, MISSING_WEIGHT)
            batch.reject(weight.column, values, numbers.bad, "weight is no finite number")
            batch.reject(weight.column, values, numbers.number < 0, NEGATIVE_WEIGHT)
            number = np.nan_to_num(numbers.number)
            if weight.clip is not None:
                number = np.minimum(number, weight.clip)
            found[name] = pa.array(number.astype(np.float32))
        return found

    def _numbers(self, values: pa.Array) -> Numbers:
        return column_numbers(values, self._markers)


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
