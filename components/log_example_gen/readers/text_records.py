"""Which lines of delimited text are rows, and which quotes may hold line breaks."""

import re
from dataclasses import dataclass, field

from components.log_example_gen.readers.text_lines import MAX_LINE_BYTES
from components.log_example_gen.rejection import NOT_IN_ENCODING, OPEN_QUOTE

_QUOTE = b'"'


@dataclass
class Records:
    """The rows of a block of whole lines.

    Attributes:
        ranges: start and end of every row in the block's bytes, line end included.
        lines: the number of each row's first line.
        blank: lines without anything.
        continuations: lines that go on with a value of the line before.
        malformed: number, text and reason of every line that is no row.
        consumed: bytes that were taken apart; behind them a row begins that the block does not
            end.
    """

    ranges: list[tuple[int, int]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    blank: int = 0
    continuations: int = 0
    malformed: list[tuple[int, bytes, str]] = field(default_factory=list)
    consumed: int = 0


class RecordSplitter:
    """Takes blocks of whole lines apart.

    A line whose quotes close on it is a row. A value in quotes may hold line breaks (RFC 4180)
    where its row is well-formed: the quotes open at a value's start and close before a
    delimiter or a line end, and the row has the right number of values. Otherwise, or where
    the value would swallow lines that are whole rows by themselves, the line with the open
    quote is malformed, it alone, and the next line is looked at anew: a stray quote costs its
    own line, no other.

    Args:
        delimiter: one byte.
        values: how many a row has.
        quoted: values may stand in quotes; else every line is a row.
        trust_quotes: values may hold lines that look like rows.
    """

    def __init__(self, delimiter: bytes, values: int, quoted: bool, trust_quotes: bool) -> None:
        self._delimiter, self._values = delimiter, values
        self._quoted, self._trust = quoted, trust_quotes
        mark = re.escape(delimiter)
        quoted = rb'"[^"]*(?:""[^"]*)*"(?!")'
        plain = rb'(?:[^"\r\n%b][^\r\n%b]*)?' % (mark, mark)
        # A quote that closes before the value ends is passed over on one line, as always.
        lenient = rb"(?:%b[^\r\n%b]*|%b)" % (quoted, mark, plain)
        strict = rb"(?:%b|%b)" % (quoted, plain)
        more = values - 1
        self._closed = re.compile(rb"%b(?:%b%b)*" % (lenient, mark, lenient))
        self._whole = re.compile(rb"%b(?:%b%b){%d}" % (lenient, mark, lenient, more))
        self._row = re.compile(rb"%b(?:%b%b){%d}(?=[\r\n]|\Z)" % (strict, mark, strict, more))
        self._unfinished = re.compile(rb'(?:%b%b)*"[^"]*(?:""[^"]*)*\Z' % (strict, mark))

    def closes(self, line: bytes) -> bool:
        """Whether no quote is open at the end of a line, given without its line break."""
        if not self._quoted or _QUOTE not in line:
            return True
        return self._closed.fullmatch(line) is not None

    def split(self, block: bytes, first: int, final: bool) -> Records:
        """Takes a block apart.

        Args:
            block: whole lines, of which the last may go on in the next block.
            first: number of its first line.
            final: nothing follows the block.
        """
        lines, found = block.splitlines(keepends=True), Records()
        valid = is_valid(block)
        index = offset = 0
        while index < len(lines):
            body, count = lines[index].rstrip(b"\r\n"), 1
            if not body:
                found.blank += 1
            elif not (valid or is_valid(body)):
                found.malformed.append((first + index, body, NOT_IN_ENCODING))
            else:
                if not self.closes(body):
                    if self._goes_on(block, lines, index, offset, final):
                        break
                    count = self._span(block, lines, index, offset)
                if count:
                    end = offset + sum(map(len, lines[index : index + count]))
                    found.ranges.append((offset, end))
                    found.lines.append(first + index)
                    found.continuations += count - 1
                else:
                    found.malformed.append((first + index, body, OPEN_QUOTE))
                    count = 1
            offset += sum(map(len, lines[index : index + count]))
            index += count
        found.consumed = offset
        return found

    def _goes_on(
        self, block: bytes, lines: list[bytes], index: int, offset: int, final: bool
    ) -> bool:
        """Whether the row that begins here may end behind the block."""
        if final or len(block) - offset > MAX_LINE_BYTES:
            return False
        if not self._unfinished.match(block, offset):
            return False
        return self._trust or not any(map(self._is_whole, lines[index + 1 :]))

    def _span(self, block: bytes, lines: list[bytes], index: int, offset: int) -> int:
        """How many lines the row that begins with an open quote covers; 0 where it is none."""
        match = self._row.match(block, offset)
        if match is None or match.end() - offset > MAX_LINE_BYTES:
            return 0
        count = 0
        while offset < match.end():
            offset += len(lines[index + count])
            count += 1
        covered = lines[index : index + count]
        if not is_valid(b"".join(covered)) or (not self._trust and self._swallows(covered)):
            return 0
        return count

    def _swallows(self, covered: list[bytes]) -> bool:
        """Whether lines within a row are rows by themselves.

        The first line has an open quote and the last one some of its values, so that either
        may look whole in a row that is right; both together do not.
        """
        if any(map(self._is_whole, covered[1:-1])):
            return True
        opening = covered[0].count(self._delimiter) >= self._values - 1
        return opening and self._is_whole(covered[-1])

    def _is_whole(self, line: bytes) -> bool:
        body = line.rstrip(b"\r\n")
        if _QUOTE in body:
            return self._whole.fullmatch(body) is not None
        return body.count(self._delimiter) == self._values - 1


def is_valid(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
