"""Writes one day's log, in shards, and its ground truth."""

import contextlib
import gzip
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from mtlx.pipeline.simulation.log_columns import join_lists

LOGS, GROUND_TRUTH = "logs", "ground_truth"

Writer: TypeAlias = pyarrow.csv.CSVWriter | pyarrow.parquet.ParquetWriter


class LogForm(Protocol):
    """What a `DayWriter` needs to know: settings of a simulation."""

    @property
    def format(self) -> Literal["csv", "parquet"]:
        """``csv``, lists joined by ``|``; or ``parquet``, with list columns."""

    @property
    def gzip(self) -> bool:
        """Whether CSV files are compressed."""

    @property
    def shards(self) -> int:
        """Files per day."""

    def rows_of_day(self, day: int) -> int:
        """Rows of a day, counted from 1."""


class DayWriter:
    """Takes a day's rows in chunks, in order; a context manager that closes its files.

    Args:
        folder: gets ``logs/day=XX/part-….csv`` and ``ground_truth/day=XX.parquet``.
        day: counted from 1.
        settings: format and number of shards; the day's number of rows.
        name: of the day's folder; ``day=XX`` if None.
    """

    def __init__(self, folder: Path, day: int, settings: LogForm, name: str | None = None):
        name = f"day={day:02d}" if name is None else name
        self._folder, self._truth_path = (
            folder / LOGS / name,
            folder / GROUND_TRUTH / f"{name}.parquet",
        )
        self._settings, self._rows, self._written = settings, settings.rows_of_day(day), 0
        self._open: dict[Path, Writer] = {}
        self._files = contextlib.ExitStack()

    def __enter__(self) -> "DayWriter":
        self._folder.mkdir(parents=True)
        self._truth_path.parent.mkdir(exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def write(self, log: pa.Table, truth: pa.Table) -> None:
        """Appends a chunk.

        Args:
            log: rows with list columns.
            truth: the same rows' probabilities.
        """
        self._parquet(self._truth_path, truth.schema).write_table(truth)
        if self._settings.format == "csv":
            log = join_lists(log)
        first, end = self._written, self._written + len(log)
        shards = self._settings.shards
        bounds = [shard * self._rows // shards for shard in range(shards + 1)]
        for shard, (start, stop) in enumerate(zip(bounds, bounds[1:], strict=False)):
            rows = log.slice(max(start - first, 0), max(min(stop, end) - max(start, first), 0))
            if len(rows):
                self._shard(shard, log.schema).write_table(rows)
        self._written = end

    def _shard(self, shard: int, schema: pa.Schema) -> Writer:
        stem = f"part-{shard:05d}-of-{self._settings.shards:05d}"
        if self._settings.format == "parquet":
            return self._parquet(self._folder / f"{stem}.parquet", schema)
        path = self._folder / (f"{stem}.csv.gz" if self._settings.gzip else f"{stem}.csv")
        if path not in self._open:
            file = self._files.enter_context(open(path, "wb"))
            self._open[path] = self._files.enter_context(
                pyarrow.csv.CSVWriter(self._compressed(file), schema)
            )
        return self._open[path]

    def _compressed(self, file: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
        if not self._settings.gzip:
            return file
        # Without a name and time in its header, a file of the same rows has the same bytes.
        return self._files.enter_context(gzip.GzipFile("", "wb", 6, file, mtime=0))

    def _parquet(self, path: Path, schema: pa.Schema) -> Writer:
        if path not in self._open:
            self._open[path] = self._files.enter_context(
                pyarrow.parquet.ParquetWriter(path, schema)
            )
        return self._open[path]
