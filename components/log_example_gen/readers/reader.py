"""What every reader has in common."""

import abc
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pydantic

from mtlx.components.log_example_gen.readers.files import (
    Stream,
    as_written,
    is_folder,
    is_remote,
    open_unpacked,
)
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection
from mtlx.transform.config.names import suggest


def _as_written(value: Any) -> Any:
    """YAML makes numbers, nulls and truth values of texts that stand without quotes."""
    if not isinstance(value, list | tuple):
        return value
    lost = [item for item in value if item is None or isinstance(item, bool | float)]
    if lost:
        raise ValueError(
            "missing: write the texts in quotes, for example ['NULL', 'nan']; "
            f"YAML has made {lost[0]!r} of one"
        )
    return [str(item) if isinstance(item, int) else item for item in value]


#: Option of readers: texts that stand for a missing value.
MissingTexts = Annotated[tuple[str, ...], pydantic.BeforeValidator(_as_written)]


@dataclass(frozen=True)
class Shard:
    """A piece of the input that one worker reads.

    Attributes:
        files: paths; one, but for readers that join files.
        part: which part of the file, for readers that cut files.
    """

    files: tuple[str, ...]
    part: int | None = None


@dataclass
class Rows:
    """A batch of rows as they stand in the log.

    Attributes:
        columns: the columns that were asked for: text, or typed where the format has types.
        lines: ``(n,)`` int64, where each row stands in its file.
        rejected: rows of this stretch of the file that could not be taken apart.
        read: lines of this stretch of the file, counted on their own (rows, where a format has
            no lines); None where each is one of `lines` or `rejected`.
        aside: lines that are no rows, by what they are: ``header``, ``blank``,
            ``continuation`` (of a value with line breaks), ``joined`` (to rows of another file).
        unjoined: by key, which rows are to be left out, since a table lacks theirs, ``(n,)``.
    """

    columns: pa.Table
    lines: np.ndarray
    rejected: list[Rejection] = field(default_factory=list)
    read: int | None = None
    aside: dict[str, int] = field(default_factory=dict)
    unjoined: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def counted(self) -> int:
        """`read`, or, where that is None, as many as there are `lines` and `rejected`."""
        return len(self.lines) + len(self.rejected) if self.read is None else self.read


class Reader(abc.ABC):
    """Reads one format into Arrow batches. Options are keyword-only constructor arguments."""

    #: `patterns` lists alternatives: not every one needs a file.
    alternatives = False

    #: Texts that stand for a missing value; see `DataContract.missing`.
    missing: tuple[str, ...] = ("",)

    #: Where the data set can be had, for readers of one data set.
    address: str | None = None

    def patterns(self, path: str) -> list[str]:
        """Glob patterns of the files behind an entry of `data.path`; a folder's are all in it.

        A path that ends with ``/`` is a folder, whether or not it can be seen from here. What
        exists as it is written is no pattern, whatever marks it holds.
        """
        # A pattern is no folder: a bucket is not asked, which may be out of reach from here.
        plain = not is_remote(path) or not any(mark in path for mark in "*?[{")
        folder = path.endswith("/") or (plain and is_folder(path))
        written = path if is_remote(path) else as_written(path)
        return [os.path.join(written, "*")] if folder else [written]

    def shards(self, files: list[str]) -> list[Shard]:
        """Cuts the sorted input files into pieces, in the order of their rows."""
        return [Shard((file,)) for file in files]

    @abc.abstractmethod
    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """Reads a shard in batches.

        Args:
            shard: the piece.
            columns: names of the columns that are wanted.

        Raises:
            InputRefused: a column is missing or the file cannot be read at all.
        """

    @staticmethod
    def open(file: str) -> Stream:
        """Opens a file of any file system that Beam knows, unpacked if it begins as gzip does."""
        return open_unpacked(file)

    @staticmethod
    def check_columns(file: str, wanted: Iterable[str], found: Iterable[str]) -> None:
        """Refuses a file that lacks a column.

        Raises:
            InputRefused: names the file, the column and the nearest one that exists.
        """
        found = list(found)
        for column in wanted:
            if column not in found:
                raise InputRefused(f"{file}: no column {column!r}, {suggest(column, found)}")
