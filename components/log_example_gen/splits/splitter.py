"""Assigns every row to a split."""

import fnmatch
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.rejection import InputRefused, Rejection
from mtlx.components.log_example_gen.settings import (
    FileSplit,
    HashSplit,
    RowSplit,
    Split,
    TimeSplit,
)
from mtlx.components.log_example_gen.spans.window_settings import SpanSplit
from mtlx.components.log_example_gen.splits.time_split import TimeColumn
from mtlx.components.log_example_gen.values.column_text import column_text, shown
from mtlx.components.log_example_gen.values.stable_hash import uniform

#: In the order of their indices.
SPLITS = ("train", "validation", "test")
_TRAIN, _VALIDATION, _TEST = range(3)

#: First and last time by split: instants or numbers.
TimeRanges = dict[str, list[float]]


@dataclass(frozen=True)
class Place:
    """Where the rows of a batch stand in the input.

    Attributes:
        file: path of its file.
        lines: ``(n,)`` int64, each row's line in its file, from 1.
        positions: ``(n,)`` int64, each row's position in the whole input; only read where
            `needs_positions` asked for it.
        total: rows in the whole input, likewise.
    """

    file: str
    lines: np.ndarray
    positions: np.ndarray | None = None
    total: int = 0


@dataclass(frozen=True)
class Assignment:
    """What becomes of the rows of a batch.

    Attributes:
        splits: ``(n,)`` int8, indices into `SPLITS`; -1 for rows that are malformed.
        rejected: those.
        times: of a split by time.
    """

    splits: np.ndarray
    rejected: list[Rejection] = field(default_factory=list)
    times: TimeRanges = field(default_factory=dict)


def needs_positions(split: Split) -> bool:
    """Whether rows must be counted before they can be assigned."""
    return isinstance(split, RowSplit)


def written_splits(split: Split) -> tuple[str, ...]:
    """The splits that rows can go to: with a window it is decided per run which spans test."""
    return SPLITS[:_TEST] if isinstance(split, SpanSplit) else SPLITS


def with_columns(split: Split, column_of: Callable[[str], str]) -> Split:
    """The split with its features' names replaced by their columns.

    Args:
        split: the settings.
        column_of: maps the name of a feature to its column, any other name to itself.
    """
    keys = {
        key: column_of(getattr(split, key))
        for key in ("of", "column", "validation_key")
        if getattr(split, key, None) is not None
    }
    return split.model_copy(update=keys)


def split_columns(split: Split) -> list[str]:
    """Columns that the split reads."""
    if isinstance(split, TimeSplit | FileSplit | SpanSplit):
        columns = [split.column] if isinstance(split, TimeSplit) else []
        return columns + ([split.validation_key] if split.validation_key else [])
    return [split.of] if isinstance(split, HashSplit) else []


def assign(split: Split, rows: pa.Table, place: Place) -> Assignment:
    """Assigns the rows of a batch.

    Args:
        split: the settings.
        rows: with the columns of `split_columns`.
        place: where the batch stands.

    Raises:
        InputRefused: a file belongs to no split; a key is a fraction or too large to be exact;
            the times of a column are of another kind than the boundary.
    """
    if isinstance(split, HashSplit):
        keys = _keys(rows[split.of], split.of, place)
        return Assignment(_by_share(uniform(keys, split.seed), split))
    if isinstance(split, RowSplit):
        if split.shuffle:
            return Assignment(_by_share(uniform(place.positions, split.seed), split))
        if place.positions is None:
            raise ValueError("a split by position needs the rows' positions")
        return Assignment(_by_share((place.positions + 0.5) / place.total, split))
    rejected: list[Rejection] = []
    times = None
    if isinstance(split, SpanSplit):
        assigned = np.zeros(rows.num_rows, np.int8)
        assigned[_validation_draw(split, rows, place) < split.validation_share] = _VALIDATION
        return Assignment(assigned)
    if isinstance(split, FileSplit):
        assigned = np.full(rows.num_rows, file_split(split, place.file), np.int8)
        drawn = split.validation is None
    else:
        assigned, times, rejected = _time_split(split, rows[split.column], place)
        drawn = split.validation_from is None
    if drawn and split.validation_share > 0:
        source = _TRAIN if split.validation_of == "train" else _TEST
        chosen = _validation_draw(split, rows, place) < split.validation_share
        assigned[chosen & (assigned == source)] = _VALIDATION
    return Assignment(assigned, rejected, {} if times is None else _ranges(times, assigned))


def described(split: Split, rows: Mapping[str, int], times: TimeRanges) -> str:
    """Rows per split and where they lie in time, for messages."""
    parts = []
    for name in written_splits(split):
        span = ""
        if isinstance(split, TimeSplit) and name in times:
            low, high = (TimeColumn(split).show(time) for time in times[name])
            span = f" from {low} to {high}"
        parts.append(f"{name}: {rows[name]:,}{span}")
    return ", ".join(parts)


def merge_times(one: TimeRanges, other: TimeRanges) -> TimeRanges:
    """The ranges that hold both."""
    merged = dict(one)
    for name, (low, high) in other.items():
        first, last = merged.get(name, (low, high))
        merged[name] = [min(first, low), max(last, high)]
    return merged


def _ranges(times: np.ndarray, assigned: np.ndarray) -> TimeRanges:
    found = {}
    for index, name in enumerate(SPLITS):
        inside = times[assigned == index]
        if len(inside):
            found[name] = [inside.min().item(), inside.max().item()]
    return found


def _by_share(uniforms: np.ndarray, split: HashSplit | RowSplit) -> np.ndarray:
    boundaries = [split.train, split.train + split.validation]
    return np.searchsorted(boundaries, uniforms, side="right").astype(np.int8)


def _keys(column: pa.ChunkedArray, name: str, place: Place) -> np.ndarray:
    """A key column as texts, whatever a shard's type; a missing key is one key of its own."""
    values = column.combine_chunks()
    try:
        found = column_text(values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputRefused(
            f"{place.file}: column {name!r} of data.split: its type {values.type} is that of no "
            f"key ({error}); cast it to text or integers"
        ) from error
    if found.inexact is not None:
        index = int(np.flatnonzero(found.inexact.rows)[0])
        raise InputRefused(
            f"{place.file}:{place.lines[index]}: column {name!r} of data.split: rows of one key "
            f"should stay together, but {found.inexact.problem}. Received: {shown(values, index)!r}"
        )
    return pc.fill_null(found.text, "").to_numpy(zero_copy_only=False)


def _validation_draw(
    split: FileSplit | TimeSplit | SpanSplit, rows: pa.Table, place: Place
) -> np.ndarray:
    if split.validation_key is not None:
        keys = _keys(rows[split.validation_key], split.validation_key, place)
        return uniform(keys, split.seed)
    # A file's name stands for the file, so that moving the folder changes nothing.
    name = uniform(np.array([os.path.basename(place.file)], object), split.seed)[0]
    # Lines do not depend on how a file is cut into shards.
    return uniform(place.lines - 1, split.seed ^ int(name * (1 << 53)))


def matches_file(pattern: str, file: str) -> bool:
    """Whether a pattern of a `FileSplit` matches the end of a path, from a folder on."""
    return _ends_in(file, pattern.lstrip("/"))


def file_split(split: FileSplit, file: str) -> int:
    """Index into `SPLITS` of a file's split, before validation rows are drawn.

    Raises:
        InputRefused: the file belongs to no split, or to several.
    """
    patterns = {_TRAIN: split.train, _VALIDATION: split.validation or [], _TEST: split.test}
    matches = [
        index
        for index, group in patterns.items()
        if any(matches_file(pattern, file) for pattern in group)
    ]
    if len(matches) != 1:
        found = " and ".join(SPLITS[index] for index in matches) or "no split"
        raise InputRefused(
            f"{file}: the patterns of data.split put it into {found}; "
            "every file should match the patterns of exactly one split"
        )
    return matches[0]


def _ends_in(file: str, pattern: str) -> bool:
    """Whether a path ends as the pattern says; one that is written so does, whatever its marks."""
    return f"/{file}".endswith(f"/{pattern}") or fnmatch.fnmatch(f"/{file}", f"*/{pattern}")


def _time_split(
    split: TimeSplit, column: pa.ChunkedArray, place: Place
) -> tuple[np.ndarray, np.ndarray, list[Rejection]]:
    """Splits by time, ``(n,)`` with -1 for rows without one; the times; and those rows."""
    reader = TimeColumn(split)
    first = int(place.lines[0]) if len(place.lines) else 1
    times = reader.read(column, f"{place.file}:{first}")
    assigned = np.zeros(len(column), np.int8)
    for index, boundary in zip((_VALIDATION, _TEST), reader.boundaries(), strict=True):
        if boundary is not None:
            assigned[times.values >= boundary] = index
    assigned[times.bad] = -1
    missing = pc.is_null(column, nan_is_null=True).to_numpy()
    rejected = []
    for index in np.flatnonzero(times.bad):
        value, line = shown(column, int(index)), int(place.lines[index])
        reason, hint = "missing time", ""
        if not missing[index] and value.strip():
            reason, hint = "not a time", times.problem(value)
        rejected.append(Rejection(place.file, line, split.column, value, reason, hint))
    return assigned, times.values, rejected
