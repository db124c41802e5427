"""Delimited text as Arrow batches of strings, with the line of every row."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from components.log_example_gen.readers.reader import Rows
from components.log_example_gen.rejection import InputRefused, Rejection

#: Bytes that are parsed at once.
_BLOCK_BYTES = 4 << 20


def header(file: str, stream: BinaryIO, delimiter: str) -> list[str]:
    """Column names in the first line.

    Raises:
        InputRefused: the file is empty, or names a column twice.
    """
    names = next(csv.reader(io.TextIOWrapper(stream, "utf-8-sig"), delimiter=delimiter), [])
    if not names:
        raise InputRefused(f"{file}: is empty; a header with column names is expected")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputRefused(f"{file}:1: column {sorted(twice)[0]!r} stands twice in the header")
    return names


def read_text_table(
    file: str,
    open_stream: Callable[[], BinaryIO],
    names: list[str],
    delimiter: str,
    has_header: bool,
    quoted: bool = True,
) -> Iterator[Rows]:
    """Parses delimited text; all columns stay text, whatever they hold.

    Args:
        file: path, for messages.
        open_stream: opens the unpacked bytes.
        names: column names.
        delimiter: one character.
        has_header: the first line holds the names.
        quoted: values may stand in double quotes.

    Yields:
        Batches; rows with a wrong number of values are among `Rows.rejected`. Blank lines are
        left out. A value with a line break in it shifts the later line numbers of its file.

    Raises:
        InputRefused: no delimited text.
    """
    wrong: list[pyarrow.csv.InvalidRow] = []

    def keep(row: pyarrow.csv.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    try:
        reader = pyarrow.csv.open_csv(
            open_stream(),
            # Rows are numbered only where one thread parses.
            read_options=pyarrow.csv.ReadOptions(
                column_names=names,
                skip_rows=int(has_header),
                block_size=_BLOCK_BYTES,
                use_threads=False,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if quoted else False,
                ignore_empty_lines=False,
                # Else a value with a line break at the end of a block stops the parser.
                newlines_in_values=quoted,
                invalid_row_handler=keep,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        if "Empty CSV file" in str(error):
            return
        raise InputRefused(f"{file}: cannot be read as delimited text: {error}") from error
    # `InvalidRow.number` counts from 1 and includes the header.
    line = 1 + int(has_header)
    while (batch := _next(reader, file)) is not None:
        lines = _line_numbers(line, batch.num_rows, {row.number for row in wrong})
        line = int(lines[-1]) + 1 if batch.num_rows else line
        done = [row for row in wrong if row.number < line]
        wrong[:] = [row for row in wrong if row.number >= line]
        blank = _blank_rows(batch)
        table = pa.Table.from_batches([batch])
        if blank.any():
            table, lines = table.filter(pa.array(~blank)), lines[~blank]
        yield Rows(table, lines, _rejections(file, done))
    if wrong:
        yield Rows(reader.schema.empty_table(), np.zeros(0, np.int64), _rejections(file, wrong))


def _next(reader: pyarrow.csv.CSVStreamingReader, file: str) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        raise InputRefused(f"{file}: cannot be read to its end: {error}") from error


def _line_numbers(first: int, rows: int, skipped: set[int]) -> np.ndarray:
    """Numbers of the next `rows` lines from `first` on that were not skipped."""
    candidates = np.arange(first, first + rows + len(skipped), dtype=np.int64)
    if skipped:
        candidates = candidates[~np.isin(candidates, list(skipped))]
    return candidates[:rows]


def _blank_rows(batch: pa.RecordBatch) -> np.ndarray:
    """Rows without any value; looked for only where the first column has none."""
    blank = pc.equal(batch.column(0), "").to_numpy(zero_copy_only=False)
    for index in range(1, batch.num_columns):
        if not blank.any():
            break
        blank = blank & pc.equal(batch.column(index), "").to_numpy(zero_copy_only=False)
    return blank


def _rejections(file: str, rows: list[pyarrow.csv.InvalidRow]) -> list[Rejection]:
    reason = "wrong number of values"
    return [
        Rejection(
            file,
            row.number,
            None,
            f"{row.actual_columns} instead of {row.expected_columns}: {row.text}",
            reason,
        )
        for row in rows
    ]
