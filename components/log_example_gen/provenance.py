"""Which rows went into a run's examples: files, their rows by split, and the time that they span.

The gate reads it to tell which model has seen which rows, and whose are newer.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from components.log_example_gen.settings import DataSettings, FileSplit, TimeSplit

#: Smallest and largest value of the split's time column: numbers, or texts as they stand there.
TimeRange = tuple[float | str, float | str]


@dataclass
class TimeRanges:
    """The time range of each split, gathered over batches.

    Attributes:
        numeric: the split's boundaries are numbers, so that its times are compared as numbers.
        ranges: by split; a split without rows has none.
    """

    numeric: bool
    ranges: dict[str, TimeRange] = field(default_factory=dict)

    def add(self, split: str, column: pa.ChunkedArray) -> None:
        """Adds rows of a split.

        Args:
            split: name.
            column: of the time, texts or numbers.
        """
        column = pc.cast(column, pa.string())
        if self.numeric:
            column = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(np.float64)
        found = pc.min_max(column)
        if found["min"].as_py() is not None:
            self.merge({split: (found["min"].as_py(), found["max"].as_py())})

    def merge(self, other: dict[str, TimeRange]) -> None:
        """Adds the ranges of other rows."""
        for split, (first, last) in other.items():
            known = self.ranges.get(split, (first, last))
            self.ranges[split] = (min(known[0], first), max(known[1], last))


def source(file: str, rows: dict[str, int]) -> dict[str, Any]:
    """What is kept of a shard: its file as it is now, and its rows by split."""
    found = tf.io.gfile.stat(file)
    return {
        "file": file,
        "size": found.length,
        "modified": found.mtime_nsec,
        "rows": dict(rows),
    }


def provenance(
    data: DataSettings,
    span: int | None,
    sources: list[dict[str, Any]],
    times: dict[str, TimeRange],
) -> dict[str, Any]:
    """The part of the ingestion's summary that tells which rows were read.

    Args:
        data: of the run.
        span: number of the portion that was read; of no meaning where the paths have none.
        sources: of all shards, see `source`.
        times: ranges of the split's time column, of all shards.
    """
    patterns = list(data.path)
    if isinstance(data.split, FileSplit):
        patterns += [*data.split.train, *data.split.test, *(data.split.validation or ())]
    text = "".join(patterns)
    return {
        "span": span if "{" in text else None,
        "span_is_date": "{YYYY" in text,
        "split": data.split.model_dump(mode="json"),
        "time_column": data.split.column if isinstance(data.split, TimeSplit) else None,
        "times": times,
        "sources": sources,
    }


def time_ranges(data: DataSettings) -> TimeRanges:
    """Empty ranges that compare as the split does."""
    return TimeRanges(not isinstance(getattr(data.split, "test_from", ""), str))
