"""Which rows went into a run's examples: files, their rows by split, and the time that they span.

The gate reads it to tell which model has seen which rows, and whose are newer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from mtlx.components.log_example_gen.settings import DataSettings, FileSplit, TimeSplit
from mtlx.components.log_example_gen.splits.splitter import TimeRanges
from mtlx.components.log_example_gen.splits.time_split import TimeColumn


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
    times: TimeRanges,
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
        "times": _told(data, times),
        "sources": sources,
    }


def _told(data: DataSettings, times: TimeRanges) -> Mapping[str, Sequence[float | str]]:
    """The ranges as they are read later: instants as text with their zone, numbers as they are."""
    split = data.split
    if not isinstance(split, TimeSplit) or not isinstance(split.test_from, str):
        return times
    column = TimeColumn(split)
    return {name: [column.show(time) for time in ends] for name, ends in times.items()}
