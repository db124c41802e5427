"""Assigns every row to a split."""

import fnmatch
import os
from dataclasses import dataclass

import numpy as np
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
    """Where a batch of rows stands in the input.

    Attributes:
        file: path of its file.
        first: position of the batch's first row in its shard.
        shard_start: position of the shard's first row in the whole input; only known where
            `needs_positions` asked for it.
        total: rows in the whole input, likewise.
    """

    file: str
    first: int
    shard_start: int = 0
    total: int = 0


def needs_positions(split: Split) -> bool:
    """Whether rows must be counted before they can be assigned."""
    return isinstance(split, RowSplit)


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
        InputRefused: a file belongs to no split, or a time is missing.
    """
    count = rows.num_rows
    if isinstance(split, HashSplit):
        return _by_share(uniform(_keys(rows[split.of]), split.seed), split)
    if isinstance(split, RowSplit):
        position = place.shard_start + place.first + np.arange(count, dtype=np.int64)
        if split.shuffle:
            return _by_share(uniform(position, split.seed), split)
        return _by_share((position + 0.5) / place.total, split)
    if isinstance(split, FileSplit):
        assigned = np.full(count, _file_split(split, place.file), np.int8)
        drawn = split.validation is None
    else:
        assigned = _time_split(split, rows[split.column], place.file)
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
    """A key column as integers or texts; a missing key counts as one key of its own."""
    if pa.types.is_integer(column.type) and column.null_count == 0:
        return column.to_numpy()
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    return text.to_numpy()


def _validation_draw(split: FileSplit | TimeSplit, rows: pa.Table, place: Place) -> np.ndarray:
    if split.validation_key is not None:
        return uniform(_keys(rows[split.validation_key]), split.seed)
    # A file's name stands for the file, so that moving the folder changes nothing.
    name = uniform(np.array([os.path.basename(place.file)], object), split.seed)[0]
    position = place.first + np.arange(rows.num_rows, dtype=np.int64)
    return uniform(position, split.seed ^ int(name * (1 << 53)))


def _file_split(split: FileSplit, file: str) -> int:
    patterns = {_TRAIN: split.train, _VALIDATION: split.validation or [], _TEST: split.test}
    matches = [
        index
        for index, group in patterns.items()
        if any(fnmatch.fnmatch(file, f"*{pattern.lstrip('*')}") for pattern in group)
    ]
    if len(matches) != 1:
        found = " and ".join(SPLITS[index] for index in matches) or "no split"
        raise InputRefused(
            f"{file}: the patterns of data.split put it into {found}; "
            "every file should match the patterns of exactly one split"
        )
    return matches[0]


def _time_split(split: TimeSplit, column: pa.ChunkedArray, file: str) -> np.ndarray:
    boundaries = [split.validation_from, split.test_from]
    if column.null_count:
        raise InputRefused(f"{file}: column {split.column!r} of data.split has rows without value")
    if isinstance(split.test_from, str):
        values = pc.cast(column, pa.string())
    else:
        try:
            values = pc.cast(column, pa.float64())
        except pa.ArrowInvalid as error:
            raise InputRefused(
                f"{file}: column {split.column!r} of data.split has a value that is no number: "
                f"{error}; give test_from as text if times are text"
            ) from error
    assigned = np.zeros(len(column), np.int8)
    for index, boundary in zip((_VALIDATION, _TEST), boundaries, strict=True):
        if boundary is not None:
            assigned[pc.greater_equal(values, boundary).to_numpy()] = index
    return assigned
