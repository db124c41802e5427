"""Blocks of lines of delimited text as Arrow tables."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_lines import count_lines
from mtlx.components.log_example_gen.readers.text_records import RecordSplitter, is_valid
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection

_BOM = b"\xef\xbb\xbf"

_QUOTE = b'"'


class TextParser:
    """Parses blocks of whole lines.

    Args:
        file: path, for messages.
        names: of all columns, in their order.
        columns: those that are wanted.
        layout: how the text is written.
    """

    def __init__(self, file: str, names: list[str], columns: list[str], layout: TextLayout) -> None:
        self._file, self._columns, self._quoted = file, columns, layout.quoted
        # A name may stand twice where nobody wants it: Arrow is given places for names.
        self._places = [str(place) for place in range(len(names))]
        self._wanted = [str(names.index(column)) for column in columns]
        self._delimiter = layout.delimiter
        self._splitter = RecordSplitter(
            layout.delimiter.encode(), len(names), layout.quoted, layout.trust_quotes
        )

    def nothing(self, read: int = 0, aside: dict[str, int] | None = None) -> Rows:
        """No rows, of so many lines."""
        schema = pa.schema([(column, pa.string()) for column in self._columns])
        return Rows(schema.empty_table(), np.zeros(0, np.int64), read=read, aside=aside or {})

    def rejection(self, line: int, text: bytes, reason: str) -> Rejection:
        """A line that is no row."""
        return Rejection(self._file, line, None, text.decode(errors="replace"), reason)

    def parse(self, block: bytes, first: int, final: bool) -> tuple[Rows, int]:
        """Parses a block.

        Args:
            block: whole lines.
            first: number of its first line.
            final: nothing follows.

        Returns:
            The rows, and how many of the block's bytes they are of: a row may go on behind it.

        Raises:
            InputRefused: lines and rows cannot be reconciled.
        """
        if not block:
            return self.nothing(), 0
        rows, consumed = self._line_by_line(block, first), len(block)
        if rows is None:
            rows, consumed = self._taken_apart(block, first, final)
        rows.rejected.sort(key=lambda rejection: rejection.line)
        return rows, consumed

    def _line_by_line(self, block: bytes, first: int) -> Rows | None:
        """Rows where every line is one, which as many rows as lines prove; else None."""
        if not is_valid(block):
            return None
        if self._quoted and _QUOTE in block and not self._splitter.closes(_last_line(block)):
            return None
        table, wrong = self._read(block)
        read = count_lines(block)
        if table.num_rows + len(wrong) != read:
            return None
        lines = np.arange(first, first + read, dtype=np.int64)
        return self._rows(table, lines, wrong, block.splitlines, read)

    def _taken_apart(self, block: bytes, first: int, final: bool) -> tuple[Rows, int]:
        """Rows where some lines are none, or only together."""
        found = self._splitter.split(block, first, final)
        read = count_lines(block[: found.consumed])
        rows = self.nothing(read)
        if len(found.lines):
            table, wrong = self._read(found.text)
            if table.num_rows + len(wrong) != len(found.lines):
                raise InputRefused(
                    f"{self._file}:{first}: the quotes in the {read} lines from here on "
                    "contradict each other; mend them, or leave these lines out"
                )
            bounds = list(zip(found.starts[:-1], found.starts[1:], strict=True))
            rows = self._rows(
                table, found.lines, wrong, lambda: [found.text[a:b] for a, b in bounds], read
            )
        rows.aside["blank"] = rows.aside.get("blank", 0) + found.blank
        rows.aside["continuation"] = found.continuations
        rows.rejected += [self.rejection(*malformed) for malformed in found.malformed]
        return rows, found.consumed

    def _rows(
        self,
        table: pa.Table,
        lines: np.ndarray,
        wrong: list[pyarrow.csv.InvalidRow],
        texts: Callable[[], list[bytes]],
        read: int,
    ) -> Rows:
        """Puts lines to rows; sorts out what has no value.

        Args:
            table: rows of the right number of values.
            lines: ``(n,)`` int64, of all rows.
            wrong: those of another number.
            texts: gives the bytes of all rows.
            read: lines of all.
        """
        right = np.ones(len(lines), bool)
        right[[row.number - 1 for row in wrong]] = False
        rejected = [
            Rejection(
                self._file,
                int(lines[row.number - 1]),
                None,
                f"{row.actual_columns} instead of {row.expected_columns}: {row.text}",
                "wrong number of values",
            )
            for row in wrong
        ]
        rows = Rows(table, lines[right], rejected, read)
        empty = np.flatnonzero(_empty_rows(table))
        if len(empty):
            all_texts, places = texts(), np.flatnonzero(right)[empty]
            self._leave_out_void(rows, empty, [all_texts[place] for place in places])
        return rows

    def _leave_out_void(self, rows: Rows, places: np.ndarray, texts: list[bytes]) -> None:
        """Takes out rows without a value in any column, of those that have none where wanted.

        Args:
            rows: are changed.
            places: ``(n,)`` indices of the rows in question.
            texts: their lines.
        """
        marks = f'{self._delimiter}" \t\r\n'.encode()
        kept, blank = np.ones(len(rows.lines), bool), 0
        for place, text in zip(places.tolist(), texts, strict=True):
            if text.strip(marks):
                continue
            kept[place] = False
            text = text.rstrip(b"\r\n")
            if text:
                rejection = self.rejection(int(rows.lines[place]), text, "no values")
                rows.rejected.append(rejection)
            else:
                blank += 1
        rows.columns, rows.lines = rows.columns.filter(pa.array(kept)), rows.lines[kept]
        if blank:
            rows.aside["blank"] = blank

    def _read(self, block: bytes) -> tuple[pa.Table, list[pyarrow.csv.InvalidRow]]:
        """Arrow's rows of a block, and those that have another number of values."""
        wrong: list[pyarrow.csv.InvalidRow] = []

        def keep(row: pyarrow.csv.InvalidRow) -> str:
            wrong.append(row)
            return "skip"

        # Arrow takes a byte order mark off, which only the first line of a file has.
        block = _BOM + block if block.startswith(_BOM) else block
        # In memory of Arrow's own, and read to its end at once. The streaming reader has a
        # read-ahead thread, which waits for the interpreter's lock where it reads from a Python
        # file or releases a Python buffer: for ever, where the reader is destroyed early by who
        # holds the lock, and at the interpreter's end the process aborts.
        buffer = pa.allocate_buffer(len(block))
        memoryview(buffer).cast("B")[:] = block
        reader = pyarrow.csv.open_csv(
            pa.BufferReader(buffer),
            # Rows are numbered only where one thread parses.
            pyarrow.csv.ReadOptions(
                column_names=self._places, block_size=len(block) + 1, use_threads=False
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char='"' if self._quoted else False,
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            pyarrow.csv.ConvertOptions(
                column_types={place: pa.string() for place in self._places},
                strings_can_be_null=False,
                include_columns=self._wanted,
                check_utf8=False,  # Checked by line.
            ),
        )
        return reader.read_all().rename_columns(self._columns), wrong


def _last_line(block: bytes) -> bytes:
    body = block.rstrip(b"\r\n")
    return body[max(body.rfind(b"\n"), body.rfind(b"\r")) + 1 :]


def _empty_rows(table: pa.Table) -> np.ndarray:
    """Rows without any value; looked for only where the first column has none."""
    empty = pc.equal(table.column(0), "").to_numpy()
    for index in range(1, table.num_columns):
        if not empty.any():
            break
        empty = empty & pc.equal(table.column(index), "").to_numpy()
    return empty
