"""Pieces of a text file, cut at line breaks: a sample that is not only the file's head."""

import contextlib
import csv
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtlx.components.log_example_gen.readers.census_income import CensusIncome
from mtlx.components.log_example_gen.readers.csv import Csv
from mtlx.components.log_example_gen.readers.files import Stream
from mtlx.components.log_example_gen.readers.reader import Reader

#: First bytes of a gzip file.
_GZIP = b"\x1f\x8b"
#: Longest line that is looked for at the ends of a block.
_LONGEST_LINE = 8 << 20
_STEP = 1 << 16
#: Lines at the beginning of a block that may be the rest of a record.
_MOST_CANDIDATES = 100
#: Bytes that are kept for the next block.
_HELD_BYTES = 4 * _STEP


@dataclass(frozen=True)
class TextBlock:
    """Some whole lines of a text file, behind its header.

    Attributes:
        data: header, if the file has one, and lines.
        start: where the first of the lines begins, in unpacked bytes.
        size: bytes of the lines.
        first: nothing but the header stands before the lines.
    """

    data: bytes
    start: int
    size: int
    first: bool


@dataclass(frozen=True)
class TextForm:
    """How lines are taken apart.

    Attributes:
        has_header: the first one holds the names.
        delimiter: between the values.
    """

    has_header: bool
    delimiter: str


def text_form(reader: Reader, options: Mapping[str, Any]) -> TextForm | None:
    """The form of a reader's files; None where they are not lines that can be cut.

    Args:
        reader: the run's reader.
        options: that it was made with.
    """
    encoding = str(options.get("encoding", "utf-8")).lower()
    # A line break of these is not one byte.
    if not isinstance(reader, Csv | CensusIncome) or encoding.startswith(("utf-16", "utf-32")):
        return None
    return TextForm(isinstance(reader, Csv), str(options.get("delimiter", ",")))


class TextBlocks(contextlib.AbstractContextManager["TextBlocks"]):
    """The blocks of one file, which is open until this is left.

    Blocks are best asked for in their order: a gzip file is unpacked up to each of them.

    Args:
        reader: opens, and unpacks, the file.
        file: its path.
        form: of its lines.
    """

    def __init__(self, reader: Reader, file: str, form: TextForm) -> None:
        self._reader, self._file, self._form = reader, file, form
        self._open: Stream | None = None
        self._header = b""
        self._held = 0, b""

    def __exit__(self, *unused: object) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def size(self) -> int:
        """Unpacked bytes; of a gzip file an estimate by its head."""
        packed = os.path.getsize(self._file)
        with open(self._file, "rb") as file:
            head = file.read(4 * _STEP)
        if not head.startswith(_GZIP):
            return packed
        try:
            unpacked = len(zlib.decompressobj(31).decompress(head))
        except zlib.error:
            return packed  # Reading it says what is wrong.
        return max(packed, int(packed * unpacked / len(head)))

    def bytes_per_row(self) -> float:
        """Mean length of the lines in the first half of the file, or its first megabyte."""
        data = self.read(min(self.size() // 2, 1 << 20), 4 * _STEP).data or b"\n"
        return len(data) / max(data.count(b"\n"), data.count(b"\r"), 1)

    def read(self, start: int, size: int) -> TextBlock:
        """The lines that begin in a range of unpacked bytes.

        A line break inside a quoted value is no end of a line: a block starts with what looks like
        a whole record, and holds an even number of quotes if it can.

        Raises:
            OSError, EOFError, zlib.error: the file can't be read that far.
        """
        header = self._header_line()
        first = start <= len(header)
        # From one byte earlier on: a line that begins right at the start is not lost.
        position = len(header) if first else start - 1
        data = self._at(position, max(start + size - position, 1))
        skipped = 0 if first else self._first_line(data, header)
        lines = data[skipped:]
        if lines:
            lines += self._rest_of_line(position + len(data), lines)
        if lines.count(b'"') % 2:
            lines = _even_quotes(lines)
        return TextBlock(header + lines, position + skipped, len(lines), first)

    def _header_line(self) -> bytes:
        if self._open is None:
            self._opened()
            if self._form.has_header:
                self._header = self._first_line_whole()
        return self._header

    def _opened(self) -> Stream:
        if self._open is None:
            self._open = self._reader.open(self._file)
        return self._open

    def _first_line_whole(self) -> bytes:
        """The first line with its end."""
        data = b""
        while b"\n" not in data and len(data) < _LONGEST_LINE:
            more = self._at(len(data), _STEP)
            if not more:
                break
            data += more
        # Lines may end with CR alone.
        end = data.find(b"\n") if b"\n" in data else data.find(b"\r")
        return data[: end + 1] if end >= 0 else data

    def _at(self, position: int, count: int) -> bytes:
        """Bytes from a position on; what has just been read is not unpacked again."""
        stream = self._opened()
        begun, held = self._held
        behind = position - begun
        if 0 <= behind <= len(held):
            missing = count - (len(held) - behind)
            if missing > 0:
                held += stream.read(missing)
            data = held[behind : behind + count]
        else:
            stream.seek(position)
            begun, held = position, stream.read(count)
            data = held
        spare = max(0, len(held) - _HELD_BYTES)
        self._held = begun + spare, held[spare:]
        return data

    def _rest_of_line(self, position: int, data: bytes) -> bytes:
        """What is missing of the last line of some bytes, from the position behind them on."""
        rest = b""
        while not data.endswith(b"\n") and len(rest) < _LONGEST_LINE:
            more = self._at(position + len(rest), _STEP)
            if not more:
                break
            if b"\n" in more:
                return rest + more[: more.index(b"\n") + 1]
            rest += more
        return rest

    def _first_line(self, data: bytes, header: bytes) -> int:
        """Where the first record begins, of bytes that begin anywhere in one."""
        place = data.find(b"\n") + 1 or len(data)
        columns = self._values(header) if header else None
        candidate = place
        for _ in range(_MOST_CANDIDATES):
            if self._is_record(data[candidate : candidate + _STEP], columns):
                return candidate
            candidate = data.find(b"\n", candidate) + 1
            if not candidate:
                break
        return place

    def _is_record(self, data: bytes, columns: int | None) -> bool:
        """Whether bytes begin with a record: as many values as the header, quotes in pairs."""
        if columns is None:
            return True
        lines = data.decode("latin-1").splitlines(keepends=True)
        reader = csv.reader(lines, delimiter=self._form.delimiter)
        try:
            values = next(reader, [])
        except csv.Error:
            return False
        record = "".join(lines[: reader.line_num])
        return len(values) == columns and record.count('"') % 2 == 0

    def _values(self, line: bytes) -> int:
        text = line.decode("latin-1").rstrip("\r\n")
        return len(next(csv.reader([text], delimiter=self._form.delimiter), []))


def _even_quotes(lines: bytes) -> bytes:
    """Without the last lines, if that leaves an even number of quotes; else as it is."""
    end, quotes = len(lines), lines.count(b'"')
    for _ in range(1000):
        cut = lines.rfind(b"\n", 0, end - 1) + 1
        quotes -= lines.count(b'"', cut, end)
        if cut == 0:
            return lines
        if quotes % 2 == 0:
            return lines[:cut]
        end = cut
    return lines
