"""Pieces of a text file, cut at line breaks: a sample that is not only the file's head."""

import csv
import os
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from components.log_example_gen.readers.census_income import CensusIncome
from components.log_example_gen.readers.csv import Csv
from components.log_example_gen.readers.reader import Reader

#: First bytes of a gzip file.
_GZIP = b"\x1f\x8b"
#: Longest line that is looked for at the ends of a block.
_LONGEST_LINE = 8 << 20
_STEP = 1 << 16


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


def is_text(reader: Reader) -> bool:
    """Whether the reader's files are lines, which can be cut."""
    encoding = str(getattr(reader, "encoding", None) or "utf-8").lower()
    return isinstance(reader, Csv | CensusIncome) and not encoding.startswith(("utf-16", "utf-32"))


class TextBlocks:
    """The blocks of one file.

    Args:
        reader: opens, and unpacks, the file.
        file: its path.
    """

    def __init__(self, reader: Reader, file: str) -> None:
        self._reader, self._file = reader, file
        self._has_header = isinstance(reader, Csv)
        self._delimiter = getattr(reader, "delimiter", ",")

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
        """Mean length of the lines in the middle of the file."""
        data = self.read(self.size() // 2, 4 * _STEP).data or b"\n"
        return len(data) / max(data.count(b"\n"), data.count(b"\r"), 1)

    def read(self, start: int, size: int) -> TextBlock:
        """The lines that begin in a range of unpacked bytes.

        A line break inside a quoted value is no end of a line: a block starts with the first line
        that has as many values as the header, and holds an even number of quotes if it can.

        Raises:
            OSError, EOFError, zlib.error: the file can't be read that far.
        """
        with self._reader.open(self._file) as stream:
            header = _line(stream) if self._has_header else b""
            first = start <= len(header)
            # From one byte earlier on: a line that begins right at the start is not lost.
            position = len(header) if first else start - 1
            stream.seek(position)
            data = stream.read(max(start + size - position, 1))
            skipped = 0 if first else self._first_line(data, header)
            lines = data[skipped:]
            if lines:
                lines += _rest_of_line(stream, lines)
        if lines.count(b'"') % 2:
            lines = _even_quotes(lines)
        return TextBlock(header + lines, position + skipped, len(lines), first)

    def _first_line(self, data: bytes, header: bytes) -> int:
        """Where the first line begins that is one."""
        columns = self._values(header or data[data.find(b"\n") + 1 :].split(b"\n", 1)[0])
        place = data.find(b"\n") + 1
        candidate = place
        for _ in range(100):
            end = data.find(b"\n", candidate)
            if candidate == 0 or end < 0:
                break
            if self._values(data[candidate:end]) == columns:
                return candidate
            candidate = end + 1
        return place or len(data)

    def _values(self, line: bytes) -> int:
        text = line.decode("latin-1").rstrip("\r")
        return len(next(csv.reader([text], delimiter=self._delimiter), []))


def _line(stream: BinaryIO) -> bytes:
    """The first line with its end; whole lines are all that a header may be made of."""
    data = b""
    while len(data) < _LONGEST_LINE:
        more = stream.read(_STEP)
        data += more
        if b"\n" in more or not more:
            break
    if b"\n" in data:
        return data[: data.index(b"\n") + 1]
    # Lines that end with CR alone.
    return data[: data.index(b"\r") + 1] if b"\r" in data else data


def _rest_of_line(stream: BinaryIO, data: bytes) -> bytes:
    """What is missing of the last line."""
    rest = b""
    while not data.endswith(b"\n") and len(rest) < _LONGEST_LINE:
        more = stream.read(_STEP)
        if not more:
            break
        if b"\n" in more:
            return rest + more[: more.index(b"\n") + 1]
        rest += more
    return rest


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
