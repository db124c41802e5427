"""Parquet logs."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.readers.parquet_process import (
    FileDescription,
    ParquetProcess,
    Unreadable,
)
from mtlx.components.log_example_gen.readers.reader import MissingTexts, Reader, Rows, Shard
from mtlx.components.log_example_gen.rejection import InputRefused

_NO_PARQUET = "cannot be read as Parquet"

#: What Arrow 10 says of a null in a column of lists of a fixed size.
_FIXED_SIZE = "Expected all lists to be of size"


class Parquet(Reader):
    """Parquet files, row group by row group; nulls, NaN and empty texts are missing.

    Damaged pages can crash Arrow's reader. So files are read in a process of their own, whose end
    is an error like others, and which hands the columns over as they are.

    Args:
        missing: texts that stand for a missing value, beside the empty one; in every column, in
            training and serving.
    """

    def __init__(self, *, missing: MissingTexts = Reader.missing) -> None:
        self.missing = missing

    def shards(self, files: list[str]) -> list[Shard]:
        """One per row group."""
        shards = []
        with ParquetProcess.borrow() as process:
            for file in files:
                found = _told(file, _NO_PARQUET, process.describe, file)
                shards += [Shard((file,), group) for group in range(len(found["rows"]))]
        return shards

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        (file,), part = shard.files, shard.part
        if part is None:
            raise ValueError(f"{file}: name the row group; shards() cuts a file into them")
        with ParquetProcess.borrow() as process:
            found = _told(file, _NO_PARQUET, process.describe, file)
            self.check_columns(file, columns, found["columns"])
            for column in columns:
                _check_column(file, column, found)
            row = 1 + sum(found["rows"][:part])
            end = row + found["rows"][part]
            batches = process.read(file, part, columns)
            while (batch := _told(file, _place(shard), next, batches, None)) is not None:
                lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
                row += batch.num_rows
                yield Rows(pa.Table.from_batches([batch]).select(columns), lines)
        if row != end:
            raise InputRefused(
                f"{file}: {_place(shard)}: the pages and the footer differ by {abs(row - end):,} "
                "rows. Write or copy the file again"
            )


def _place(shard: Shard) -> str:
    return f"row group {shard.part} cannot be read to its end"


def _told(file: str, what: str, call: Callable[..., Any], *arguments: object) -> Any:
    """What a call gives; what the process could not read is refused with the file's name."""
    try:
        return call(*arguments)
    except Unreadable as error:
        remedy = "Write or copy the file again"
        if _FIXED_SIZE in str(error):
            remedy = "Arrow reads no null among lists of a fixed size: write lists of any size"
        raise InputRefused(f"{file}: {what}: {error}. {remedy}") from error


def _check_column(file: str, column: str, found: FileDescription) -> None:
    """Refuses a name that stands for several columns."""
    if found["columns"].count(column) > 1:
        raise InputRefused(
            f"{file}: column {column!r} stands {found['columns'].count(column)} times in the file; "
            "write it with one column of the name"
        )
    if column in found["nested"]:
        raise InputRefused(
            f"{file}: column {column!r} is a {found['nested'][column]}: a feature or label is one "
            "value, or a list of values; write the parts as columns of their own"
        )
