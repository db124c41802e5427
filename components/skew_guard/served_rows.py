"""What is read of one shard of serving logs: features, counts of scores, and a draw of rows."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.batch_scoring.scoring_model import encoded_examples
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.components.log_example_gen.values.column_text import column_text
from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.numbers import column_numbers
from mtlx.components.log_example_gen.values.stable_hash import uniform
from mtlx.transform.contract.data_contract import DataContract

#: Malformed rows that are quoted.
_QUOTED = 3
#: Room for rounding around [0, 1].
_ROUNDING = 1e-5
#: Columns of a draw.
PRIORITY, VERSION, _SCORE, _EXAMPLES = "priority", "version", "score.", "examples."


def score_of(task: str) -> str:
    """Column of a draw with a task's served scores, NaN where there is no probability."""
    return f"{_SCORE}{task}"


def examples_of(place: int) -> str:
    """Column of a draw with `tf.Example`s by the contract at a place; null for what it refuses."""
    return f"{_EXAMPLES}{place}"


@dataclasses.dataclass
class ServedCounts:
    """What became of the rows.

    Attributes:
        rows: that passed the checks.
        malformed: that did not, by reason.
        quoted: the first few of these, as text.
        missing: by task, rows without a score.
        not_numbers: by task, rows whose score is no finite number.
        outside: by task, rows whose score is outside of [0, 1].
        refused: why a file was refused; empty if none was.
    """

    rows: int = 0
    malformed: Counter[str] = dataclasses.field(default_factory=Counter)
    quoted: list[str] = dataclasses.field(default_factory=list)
    missing: Counter[str] = dataclasses.field(default_factory=Counter)
    not_numbers: Counter[str] = dataclasses.field(default_factory=Counter)
    outside: Counter[str] = dataclasses.field(default_factory=Counter)
    refused: str = ""

    def add(self, other: "ServedCounts") -> None:
        """Adds another account."""
        self.rows += other.rows
        for name in ("malformed", "missing", "not_numbers", "outside"):
            getattr(self, name).update(getattr(other, name))
        self.quoted = [*self.quoted, *other.quoted][:_QUOTED]
        self.refused = self.refused or other.refused


@dataclasses.dataclass(frozen=True)
class ServedRows:
    """One batch.

    Attributes:
        batch: features as `read_batches` gives them; None for what was refused.
        draw: of its rows.
        counts: of the batch.
    """

    batch: pa.RecordBatch | None
    draw: pa.Table | None
    counts: ServedCounts


@dataclasses.dataclass(frozen=True)
class ServedReading:
    """How serving logs are read; pickled to the workers.

    Attributes:
        reader: registered name of the reader.
        options: the reader's.
        contracts: by which rows become examples: the first is the experiment's, and decides which
            rows are malformed; the others are those of versions that read something else.
        scores: by task the column of its scores.
        version: column of the version, or None.
        sample_rows: rows of a draw at most.
        seed: of the draw.
    """

    reader: str
    options: dict[str, Any]
    contracts: tuple[DataContract, ...]
    scores: dict[str, str]
    version: str | None
    sample_rows: int
    seed: int

    def build(self) -> Reader:
        """The reader."""
        return READERS.build(self.reader, self.options)

    def read(self, shard: Shard) -> Iterator[ServedRows]:
        """Reads a shard, batch by batch; what is refused ends it with an account that says so."""
        checks = [RowChecks(contract, labels=False) for contract in self.contracts]
        columns = [column for check in checks for column in check.columns()]
        columns += [*self.scores.values(), *([self.version] if self.version else [])]
        try:
            for rows in self.build().read(shard, list(dict.fromkeys(columns))):
                yield self._served(rows, shard.files[0], checks)
        except (InputRefused, OSError) as error:
            # Beam would wrap it into its own words, and try again.
            yield ServedRows(None, None, ServedCounts(refused=str(error)))

    def _served(self, rows: Rows, file: str, checks: list[RowChecks]) -> ServedRows:
        checked = checks[0].check(rows, file)
        kept = checked.kept
        counts = ServedCounts(
            rows=int(kept.sum()),
            malformed=Counter(row.reason for row in checked.rejected),
            quoted=[str(row) for row in checked.rejected[:_QUOTED]],
        )
        scores = {task: self._scores(rows, file, task, kept, counts)[kept] for task in self.scores}
        priority = uniform(rows.lines[kept].astype(np.uint64) + _file_hash(file), self.seed)
        drawn = lowest(priority, self.sample_rows)
        draw: dict[str, Any] = {
            PRIORITY: priority[drawn],
            VERSION: self._versions(rows, kept, drawn),
        }
        draw |= {score_of(task): found[drawn] for task, found in scores.items()}
        draw[examples_of(0)] = _encoded(checked.examples.take(pa.array(drawn)))
        places = np.flatnonzero(kept)[drawn]
        for place, other in enumerate(checks[1:], 1):
            draw[examples_of(place)] = _by_another(other, rows, file, places)
        return ServedRows(_with_nulls(checked.examples), pa.table(draw), counts)

    def _scores(
        self, rows: Rows, file: str, task: str, kept: np.ndarray, counts: ServedCounts
    ) -> np.ndarray:
        """``(n,)`` float64 of all rows; counts those of the rows that are kept."""
        column = self.scores[task]
        # Texts that stand for a missing feature may be a score.
        markers = MissingMarkers(self.contracts[0].model_copy(update={"missing": ("",)}))
        values = rows.columns[column].combine_chunks()
        try:
            numbers = column_numbers(values, markers)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise InputRefused(
                f"{file}: column {column!r}: its type {values.type} holds no scores ({error}); "
                f"correct skew.scores.{task}"
            ) from error
        found = numbers.number
        with np.errstate(invalid="ignore"):
            outside = (found < -_ROUNDING) | (found > 1 + _ROUNDING)
        if task in self.contracts[0].regressions:
            outside = np.zeros(len(found), bool)
        counts.missing[task] += int((numbers.missing & kept).sum())
        counts.not_numbers[task] += int((numbers.bad & kept).sum())
        counts.outside[task] += int((outside & kept).sum())
        return np.where(outside, np.nan, found)

    def _versions(self, rows: Rows, kept: np.ndarray, drawn: np.ndarray) -> pa.Array:
        """Numbers of versions as texts; null where there is none, or no number."""
        if self.version is None:
            return pa.nulls(len(drawn), pa.string())
        values = rows.columns[self.version].combine_chunks().filter(pa.array(kept))
        text = pc.utf8_trim_whitespace(column_text(values.take(pa.array(drawn))).text)
        number = pc.match_substring_regex(text, "^[0-9]+$")
        bare = pc.replace_substring_regex(text, "^0+(.)", r"\1")
        return pc.if_else(number, bare, pa.scalar(None, pa.string()))


def lowest(priority: np.ndarray, most: int) -> np.ndarray:
    """Places of the lowest values, at most so many, in the order in which they stand."""
    if len(priority) <= most:
        return np.arange(len(priority))
    return np.sort(np.argpartition(priority, most - 1)[:most])


def _file_hash(file: str) -> np.uint64:
    return np.frombuffer(hashlib.blake2b(file.encode(), digest_size=8).digest(), np.uint64)[0]


def _encoded(examples: pa.RecordBatch) -> pa.Array:
    encoded = [one for part in encoded_examples(examples) for one in part]
    return pa.array(encoded, pa.large_binary())


def _by_another(checks: RowChecks, rows: Rows, file: str, places: Sequence[int]) -> pa.Array:
    """Rows at some places as examples of another contract, null for those that it refuses."""
    some = Rows(rows.columns.take(pa.array(places)), rows.lines[places])
    try:
        checked = checks.check(some, file)
    except InputRefused:
        return pa.nulls(len(places), pa.large_binary())
    kept = pa.array(np.where(checked.kept, np.cumsum(checked.kept) - 1, 0), mask=~checked.kept)
    return _encoded(checked.examples).take(kept)


def _with_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Null in the place of every empty list, as statistics are made of."""
    arrays = []
    for column in batch.columns:
        offsets = column.offsets.to_numpy()
        empty = np.append(offsets[1:] == offsets[:-1], False)
        arrays.append(pa.LargeListArray.from_arrays(pa.array(offsets, mask=empty), column.values))
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)
