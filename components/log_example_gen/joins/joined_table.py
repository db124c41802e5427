"""A table in memory, whose rows are found by their keys."""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.values.column_text import column_text

Column: TypeAlias = pa.Array | pa.ChunkedArray


class JoinedTable:
    """Columns of a table by its key; a key stands there once.

    Keys are compared as categories are: 5, 5.0 in a column of doubles and the text ``5`` are one,
    the texts ``5`` and ``05`` are two. Values keep the types that the table's reader gives them.

    Args:
        keys: ``(n,)`` of any type that has texts; rows without one are never found.
        columns: ``(n,)`` each.
        place: how messages name the rows: of row i the file and line.

    Raises:
        InputRefused: a key stands there twice, or has no exact text.
    """

    def __init__(
        self, keys: Column, columns: pa.Table, place: "tuple[list[str], np.ndarray, np.ndarray]"
    ) -> None:
        files, file_of, lines = place
        text = _text(keys, files[0] if files else "")
        known = text.is_valid().to_numpy(zero_copy_only=False)
        text, columns = text.filter(pa.array(known)), columns.filter(pa.array(known))
        self._whole = _canonical_integers(text)
        index = pd.Index(_values(text, self._whole))
        if index.has_duplicates:
            row = int(np.flatnonzero(index.duplicated())[0])
            first = int(np.flatnonzero(index == index[row])[0])
            at = np.flatnonzero(known)
            raise InputRefused(
                f"{files[file_of[at[row]]]}:{lines[at[row]]}: key {text[row].as_py()!r} stands "
                f"there twice, first in {files[file_of[at[first]]]}:{lines[at[first]]}: rows "
                "would double; leave one of each key"
            )
        self._index = index
        # A last row of nulls is for keys that are not there.
        nulls = {f.name: pa.nulls(1, f.type) for f in columns.schema}
        self.columns = pa.concat_tables([columns, pa.table(nulls)]).combine_chunks()

    def __len__(self) -> int:
        """Number of keys."""
        return len(self._index)

    def find(self, keys: Column, file: str) -> np.ndarray:
        """The row of each key ``(m,)``; -1 where there is none.

        Args:
            keys: of the log.
            file: of the log, for messages.
        """
        text = _text(keys, file)
        if not self._whole:
            return self._index.get_indexer(_values(text, False))
        whole = _is_integer(text).to_numpy(zero_copy_only=False)
        found = np.full(len(text), -1, np.int64)
        found[whole] = self._index.get_indexer(_values(text.filter(pa.array(whole)), True))
        return found

    def take(self, rows: np.ndarray) -> pa.Table:
        """The columns at some rows; nulls at -1."""
        return self.columns.take(pa.array(np.where(rows < 0, len(self), rows)))


def table_of(
    parts: Iterable[tuple[str, Iterable[Rows]]], key: str, columns: list[str]
) -> JoinedTable:
    """A table from rows that were read.

    Args:
        parts: by file.
        key: column with the keys.
        columns: that the table has.

    Raises:
        InputRefused: a malformed line, parts whose types don't fit each other, or what
            `JoinedTable` refuses.
    """
    tables, names, file_of, lines = [], [], [], []
    for name, batches in parts:
        names.append(name)
        for rows in batches:
            _refuse_malformed(rows)
            tables.append(rows.columns)
            file_of.append(np.full(len(rows.lines), len(names) - 1))
            lines.append(rows.lines)
    try:
        table = pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise InputRefused(
            f"{', '.join(names)}: the columns of these files differ in their types ({error}); "
            "write them with the same"
        ) from error
    place = names, np.concatenate(file_of), np.concatenate(lines)
    return JoinedTable(table[key], table.select(columns), place)


def _refuse_malformed(rows: Rows) -> None:
    if rows.rejected:
        raise InputRefused(
            f"{rows.rejected[0]}: a table that rows are joined with must be whole; mend it"
        )


def _text(keys: Column, file: str) -> pa.Array:
    whole = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    try:
        found = column_text(whole)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise InputRefused(f"{file}: keys of type {keys.type} have no text ({error})") from error
    if found.inexact is not None:
        raise InputRefused(f"{file}: a key can't be told from others: {found.inexact.problem}")
    text = pc.utf8_trim_whitespace(found.text)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _is_integer(text: pa.Array) -> pa.Array:
    """Which texts are integers as they are written without need: no zeros before, no plus."""
    return pc.fill_null(pc.match_substring_regex(text, r"^(0|-?[1-9][0-9]{0,17})$"), False)


def _canonical_integers(text: pa.Array) -> bool:
    return len(text) > 0 and bool(pc.all(_is_integer(text)).as_py())


def _values(text: pa.Array, whole: bool) -> np.ndarray:
    """Keys as integers, which take an eighth of the memory, or as texts."""
    if whole:
        return pc.cast(text, pa.int64()).to_numpy(zero_copy_only=False)
    return text.to_numpy(zero_copy_only=False)
