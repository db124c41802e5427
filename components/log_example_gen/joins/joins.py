"""Gives rows of the log what tables say of their keys."""

import dataclasses
import functools
import os
import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.joins.join_settings import JoinSettings
from mtlx.components.log_example_gen.joins.joined_table import JoinedTable
from mtlx.components.log_example_gen.joins.table_files import read_table, table_files
from mtlx.components.log_example_gen.readers.files import is_remote
from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.values.column_text import shown

_READING = threading.Lock()
#: Tables that a process keeps.
_KEPT = 8


class Joins:
    """All joins of a log, in their order; each table is read once per process, when first needed.

    Args:
        joins: of the settings.
        columns: that are wanted of rows in the end.

    Attributes:
        columns: that the log itself must have for it.
        unmatched: rows whose key a table lacks, by key, of all that were joined.
    """

    def __init__(self, joins: Sequence[JoinSettings], columns: Sequence[str]) -> None:
        wanted = list(dict.fromkeys(columns))
        self._steps: list[tuple[JoinSettings, list[str]]] = []
        for join in reversed(joins):
            own = [column for column in join.columns if column in wanted]
            if own:
                self._steps.insert(0, (join, own))
                wanted = [column for column in wanted if column not in own]
                wanted = list(dict.fromkeys([*wanted, join.key]))
        self.columns = wanted
        self.unmatched: Counter[str] = Counter()

    def __call__(self, rows: Rows, file: str) -> Rows:
        """Rows with the tables' columns beside their own.

        Args:
            rows: as the log's reader gives them.
            file: of the log, for messages.

        Raises:
            InputRefused: a table can't be read, or a key is missing that must not be.
        """
        columns, unjoined = rows.columns, dict(rows.unjoined)
        for join, own in self._steps:
            table = _table(join, own)
            found = table.find(columns[join.key], file)
            lacking = found < 0
            if lacking.any():
                self.unmatched[join.key] += int(lacking.sum())
                if join.missing_key == "refuse":
                    raise _refusal(join, columns[join.key], rows.lines, lacking, file)
                if join.missing_key == "quarantine":
                    before = unjoined.get(join.key, np.zeros(len(lacking), bool))
                    unjoined[join.key] = before | lacking
            for name, values in zip(own, table.take(found).columns, strict=True):
                columns = columns.append_column(name, values)
        return dataclasses.replace(rows, columns=columns, unjoined=unjoined)


def joined_files(joins: Sequence[JoinSettings]) -> list[str]:
    """All files of all tables.

    Raises:
        InputRefused: a path matches none.
    """
    return [file for join in joins for file in table_files(join)]


def _table(join: JoinSettings, columns: list[str]) -> JoinedTable:
    """The table as its files are now."""
    files = table_files(join)
    now = tuple((f, *os.stat(f)[6:9]) if not is_remote(f) else (f,) for f in files)
    with _READING:  # else threads of one worker would each read it
        return _read(join.model_dump_json(), tuple(columns), now)


@functools.lru_cache(maxsize=_KEPT)
def _read(join: str, columns: tuple[str, ...], _: tuple[tuple[object, ...], ...]) -> JoinedTable:
    return read_table(JoinSettings.model_validate_json(join), list(columns))


def _refusal(
    join: JoinSettings, keys: pa.ChunkedArray, lines: np.ndarray, lacking: np.ndarray, file: str
) -> InputRefused:
    row = int(np.flatnonzero(lacking)[0])
    return InputRefused(
        f"{file}:{int(lines[row])}: column {join.key!r}: no row in {', '.join(join.path)}. "
        f"Received: {shown(keys, row)!r} ({int(lacking.sum())} such rows in this batch); complete "
        "the table, or set missing_key of this join to keep or quarantine"
    )
