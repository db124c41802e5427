"""A sample of the logs in memory, by feature and label, with what could not be taken over."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection
from mtlx.components.log_example_gen.spans.window_plan import WindowPlan
from mtlx.components.log_example_gen.splits import splitter
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.log_check.time_ranges import TimeRanges
from mtlx.pipeline.log_sample.input_files import window_of
from mtlx.pipeline.log_sample.log_sample import LogSample
from mtlx.pipeline.log_sample.row_check import RowCheck
from mtlx.transform.contract.counted_labels import unknown_labels
from mtlx.transform.contract.data_contract import DataContract

#: Refusals that are kept; the rest is of the same kind.
_MOST_REFUSED = 3
#: Rows that the type of a column of text is told from.
_TYPE_ROWS = 2000


@dataclass
class CollectedRows:
    """The rows that passed, and the others.

    Attributes:
        contract: of the experiment.
        features: by name, one value per row: text or float with nulls, or lists of texts.
        labels: by label column, ``(n,)`` bool.
        split: ``(n,)`` int8, indices into `splitter.SPLITS`.
        types: of the columns as they stand in the logs, by feature.
        malformed: rows by reason.
        examples: one malformed row per reason.
        refused: why files or blocks would stop a run.
        times: of columns that look like times, by split.
        unknown: by task the rows ``(n,)`` whose labels are not known yet, bool; tasks whose labels
            all are are not there.
        numbers: by the names under which they travel, weights and labels that are numbers ``(n,)``.
        filtered: rows that do not meet `data.where`.
    """

    contract: DataContract
    features: dict[str, pa.Array]
    labels: dict[str, np.ndarray]
    split: np.ndarray
    types: dict[str, str]
    malformed: Counter[str]
    examples: dict[str, Rejection]
    refused: list[str]
    times: TimeRanges
    unknown: dict[str, np.ndarray] = field(default_factory=dict)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    filtered: int = 0

    @property
    def rows(self) -> int:
        """Rows that passed."""
        return len(self.split)

    def population(self, task: str) -> np.ndarray:
        """Rows ``(n,)`` that count for a task."""
        population = self.contract.tasks[task].population
        counted = self.label(population) if population else np.ones(self.rows, bool)
        return counted & ~self.unknown[task] if task in self.unknown else counted

    def label(self, task: str) -> np.ndarray:
        """A task's labels ``(n,)``, bool: of numbers whether they lie above their median."""
        return self.labels[self.contract.tasks[task].label_key]

    def in_split(self, name: str) -> np.ndarray:
        """Rows ``(n,)`` of a split."""
        return self.split == splitter.SPLITS.index(name)


def collect(
    experiment: Experiment, sample: LogSample, time_columns: Iterable[str]
) -> CollectedRows:
    """Reads a sample through the run's own reader, checks and splits.

    Args:
        experiment: the validated experiment file.
        sample: of its logs.
        time_columns: columns that may hold times, and are in all files.
    """
    plan = window_of(experiment)
    test_files = [file for span in plan.test for file in plan.files[span]] if plan else ()
    unknown = _unknown_by_file(experiment.contract, plan) if plan else {}
    check = RowCheck(experiment, test_files)
    work = _Collection(experiment.contract, TimeRanges(time_columns))
    columns = list(dict.fromkeys([*check.columns, *work.times.columns]))
    for batch in sample.batches(columns):
        try:
            rows = check.join(batch.rows, batch.place)
            checked, split = check.check(rows, batch.file, batch.place)
        except InputRefused as error:
            work.refused.append(str(error))
            continue
        position = int(batch.position) + np.flatnonzero(checked.kept)
        own = position if split is None else split
        work.add(rows, checked.examples, own, unknown.get(batch.file, ()))
        work.times.add(batch.rows.columns.filter(pa.array(checked.kept)))
        work.filtered += checked.filtered
        for rejection in checked.rejected:
            work.malformed[rejection.reason] += 1
            work.examples.setdefault(rejection.reason, rejection)
    work.refused += sample.refused
    split = np.concatenate([np.zeros(0, np.int64), *work.splits])
    if splitter.needs_positions(experiment.data.split):
        split = check.split_by_position(split, sample.total_rows)
    return work.finished(split.astype(np.int8))


def _unknown_by_file(contract: DataContract, plan: WindowPlan) -> dict[str, tuple[str, ...]]:
    """The tasks whose labels are not known yet, by file."""
    left_out = unknown_labels(contract, plan.spans, plan.newest)
    return {file: tuple(tasks) for span, tasks in left_out.items() for file in plan.files[span]}


@dataclass
class _Collection:
    """What has been read so far."""

    contract: DataContract
    times: TimeRanges
    batches: list[pa.RecordBatch] = field(default_factory=list)
    splits: list[np.ndarray] = field(default_factory=list)
    unknown: list[np.ndarray] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    malformed: Counter[str] = field(default_factory=Counter)
    filtered: int = 0
    examples: dict[str, Rejection] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def add(
        self,
        rows: Rows,
        examples: pa.RecordBatch,
        split: np.ndarray,
        unknown: Collection[str] = (),
    ) -> None:
        """Takes a batch of checked rows, with their splits or positions, and the tasks whose labels
        are not known.
        """
        if not self.types and rows.columns.num_rows:
            self.types = {
                name: _type(rows.columns[self.contract.column(name)].slice(0, _TYPE_ROWS))
                for name in self.contract.features
            }
        self.batches.append(examples)
        self.splits.append(split)
        self.unknown.append(np.array([task in unknown for task in self.contract.tasks]))

    def finished(self, split: np.ndarray) -> CollectedRows:
        """All batches as one, with the split of every row."""
        columns: dict[str, pa.Array] = {}
        if self.batches:
            columns = dict(zip(self.batches[0].schema.names, _joined(self.batches), strict=True))
        labels = {task.label_key: task for task in self.contract.tasks.values()}
        numbers = {name for name, task in labels.items() if task.is_regression}
        numbers |= set(self.contract.weight_columns)
        features = self.contract.features
        return CollectedRows(
            contract=self.contract,
            features={
                name: _values(column) if features[name].takes_one else column
                for name, column in columns.items()
                if name in features
            },
            labels={
                name: _label(columns[name], task.is_regression)
                for name, task in labels.items()
                if name in columns
            },
            split=split,
            types=self.types,
            malformed=self.malformed,
            examples=self.examples,
            refused=self.refused[:_MOST_REFUSED],
            times=self.times,
            unknown=self._unknown(),
            numbers={name: _flat(columns[name]) for name in numbers if name in columns},
            filtered=self.filtered,
        )

    def _unknown(self) -> dict[str, np.ndarray]:
        """Rows by task, of those tasks that have such."""
        if not any(one.any() for one in self.unknown):
            return {}
        lengths = [len(split) for split in self.splits]
        rows = np.repeat(np.array(self.unknown), lengths, axis=0)
        return {
            task: rows[:, place]
            for place, task in enumerate(self.contract.tasks)
            if rows[:, place].any()
        }


def _joined(batches: list[pa.RecordBatch]) -> list[pa.Array]:
    return [pa.concat_arrays(parts) for parts in zip(*(b.columns for b in batches), strict=True)]


def _values(lists: pa.LargeListArray) -> pa.Array:
    """Lists of at most one value as values with nulls; bytes as text."""
    lengths = np.diff(lists.offsets.to_numpy())
    place = np.cumsum(lengths) - 1
    flat = lists.flatten()
    if pa.types.is_large_binary(flat.type):
        flat = flat.cast(pa.large_string())
    return flat.take(pa.array(place, mask=lengths == 0))


def _label(lists: pa.LargeListArray, number: bool) -> np.ndarray:
    values = _flat(lists)
    return values > (np.nanmedian(values) if number and np.isfinite(values).any() else 0)


def _flat(lists: pa.LargeListArray) -> np.ndarray:
    return lists.flatten().to_numpy(zero_copy_only=False)


def _type(column: pa.ChunkedArray) -> str:
    """A column's type; of text what all of its values look like."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return str(column.type)
    values = pa.array([value for value in column.to_pylist() if value])
    for kind, name in ((pa.int64(), "integer"), (pa.float64(), "number")):
        try:
            values.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
        return name if len(values) else "empty"
    return "text"
