"""Assigns every row to a split."""

import fnmatch
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.log_example_gen.rejection import InputRefused
from components.log_example_gen.settings import (
    FileSplit,
    HashSplit,
    RowSplit,
    Split,
    TimeSplit,
)
from components.log_example_gen.stable_hash import uniform

#: In the order of their indices.
SPLITS = ("train", "validation", "test")
_TRAIN, _VALIDATION, _TEST = range(3)


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


def needs_positions(split: Split) -> bool:
    """Whether rows must be counted before they can be assigned."""
    return isinstance(split, RowSplit)


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
    if isinstance(split, TimeSplit | FileSplit):
        columns = [split.column] if isinstance(split, TimeSplit) else []
        return columns + ([split.validation_key] if split.validation_key else [])
    return [split.of] if isinstance(split, HashSplit) else []


def assign(split: Split, rows: pa.Table, place: Place) -> np.ndarray:
    """Assigns the rows of a batch.

    Args:
        split: the settings.
        rows: with the columns of `split_columns`.
        place: where the batch stands.

    Returns:
        ``(n,)`` int8, indices into `SPLITS`.

    Raises:
        InputRefused: a file belongs to no split, or a time is missing or no number.
    """
    if isinstance(split, HashSplit):
        return _by_share(uniform(_keys(rows[split.of]), split.seed), split)
    if isinstance(split, RowSplit):
        if split.shuffle:
            return _by_share(uniform(place.positions, split.seed), split)
        return _by_share((place.positions + 0.5) / place.total, split)
    if isinstance(split, FileSplit):
        assigned = np.full(rows.num_rows, file_split(split, place.file), np.int8)
        drawn = split.validation is None
    else:
        assigned = _time_split(split, rows[split.column], place)
        drawn = split.validation_from is None
    if drawn and split.validation_share > 0:
        source = _TRAIN if split.validation_of == "train" else _TEST
        chosen = _validation_draw(split, rows, place) < split.validation_share
        assigned[chosen & (assigned == source)] = _VALIDATION
    return assigned


def _by_share(uniforms: np.ndarray, split: HashSplit | RowSplit) -> np.ndarray:
    boundaries = [split.train, split.train + split.validation]
    return np.searchsorted(boundaries, uniforms, side="right").astype(np.int8)


def _keys(column: pa.ChunkedArray) -> np.ndarray:
    """A key column as texts, whatever a shard's type; a missing key is one key of its own."""
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    return text.to_numpy()


def _validation_draw(split: FileSplit | TimeSplit, rows: pa.Table, place: Place) -> np.ndarray:
    if split.validation_key is not None:
        return uniform(_keys(rows[split.validation_key]), split.seed)
    # A file's name stands for the file, so that moving the folder changes nothing.
    name = uniform(np.array([os.path.basename(place.file)], object), split.seed)[0]
    # Lines do not depend on how a file is cut into shards.
    return uniform(place.lines - 1, split.seed ^ int(name * (1 << 53)))


def matches_file(pattern: str, file: str) -> bool:
    """Whether a pattern of a `FileSplit` matches the end of a path, from a folder on."""
    return fnmatch.fnmatch(f"/{file}", f"*/{pattern.lstrip('/')}")


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


def _time_split(split: TimeSplit, column: pa.ChunkedArray, place: Place) -> np.ndarray:
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    if isinstance(split.test_from, str):
        values, wrong = text, pc.equal(text, "").to_numpy()
    else:
        numbers = pd.to_numeric(text.to_pandas(), errors="coerce").to_numpy(np.float64)
        values, wrong = pa.array(numbers), np.isnan(numbers)
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        raise InputRefused(
            f"{place.file}:{place.lines[index]}: column {split.column!r} of data.split: should "
            f"hold a time like {split.test_from!r} in every row. Received: {text[index].as_py()!r}"
        )
    assigned = np.zeros(len(column), np.int8)
    for index, boundary in ((_VALIDATION, split.validation_from), (_TEST, split.test_from)):
        if boundary is not None:
            later = pc.greater_equal(values, pa.scalar(boundary, values.type))
            assigned[np.asarray(later)] = index
    return assigned
