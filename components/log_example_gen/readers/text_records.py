"""Which lines of delimited text are rows, and which quotes may hold line breaks."""

import re
from dataclasses import dataclass, field

import numpy as np

from mtlx.components.log_example_gen.readers.text_lines import MAX_LINE_BYTES
from mtlx.components.log_example_gen.rejection import NOT_IN_ENCODING, OPEN_QUOTE

_QUOTE = b'"'

#: What a line is; the first two belong to rows.
_ROW, _CONTINUATION, _BLANK, _MALFORMED = range(4)


@dataclass
class Records:
    """The rows of a block of whole lines.

    Attributes:
        starts: ``(n + 1,)``, where each row begins in `text`, and where the last one ends.
        text: the bytes of all rows.
        lines: ``(n,)`` int64, the number of each row's first line.
        blank: lines without anything.
        continuations: lines that go on with a value of the line before.
        malformed: number, text and reason of every line that is no row.
        consumed: bytes that were taken apart; behind them a row begins that the block does not
            end.
    """

    starts: np.ndarray
    text: bytes
    lines: np.ndarray
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
        in_quotes = rb'"[^"]*(?:""[^"]*)*"(?!")'
        plain = rb'(?:[^"\r\n%b][^\r\n%b]*)?' % (mark, mark)
        # A quote that closes before the value ends is passed over on one line, as always.
        lenient = rb"(?:%b[^\r\n%b]*|%b)" % (in_quotes, mark, plain)
        strict = rb"(?:%b|%b)" % (in_quotes, plain)
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
        lines = _Lines(block)
        kinds = np.full(len(lines), _ROW, np.int8)
        malformed, valid, end = [], is_valid(block), len(lines)
        for index in lines.noted(not valid):
            if kinds[index] != _ROW:
                continue
            body = lines[index].rstrip(b"\r\n")
            reason = None
            if not body:
                kinds[index] = _BLANK
            elif not (valid or is_valid(body)):
                reason = NOT_IN_ENCODING
            elif not self.closes(body):
                if self._goes_on(block, lines, index, final):
                    end = index
                    break
                count = self._span(block, lines, index)
                kinds[index + 1 : index + count] = _CONTINUATION
                reason = None if count else OPEN_QUOTE
            if reason:
                kinds[index] = _MALFORMED
                malformed.append((first + index, body, reason))
        kinds = kinds[:end]
        texts, starts = lines.joined(kinds <= _CONTINUATION)
        return Records(
            starts[np.append((kinds == _ROW)[kinds <= _CONTINUATION], True)],
            texts,
            first + np.flatnonzero(kinds == _ROW).astype(np.int64),
            int((kinds == _BLANK).sum()),
            int((kinds == _CONTINUATION).sum()),
            malformed,
            int(lines.starts[end]),
        )

    def _goes_on(self, block: bytes, lines: "_Lines", index: int, final: bool) -> bool:
        """Whether the row that begins here may end behind the block."""
        offset = int(lines.starts[index])
        if final or len(block) - offset > MAX_LINE_BYTES:
            return False
        if not self._unfinished.match(block, offset):
            return False
        others = map(lines.__getitem__, range(index + 1, len(lines)))
        return self._trust or not any(map(self._is_whole, others))

    def _span(self, block: bytes, lines: "_Lines", index: int) -> int:
        """How many lines the row that begins with an open quote covers; 0 where it is none."""
        offset = int(lines.starts[index])
        match = self._row.match(block, offset)
        if match is None or match.end() - offset > MAX_LINE_BYTES:
            return 0
        count = int(np.searchsorted(lines.starts, match.end())) - index
        covered = [lines[index + number] for number in range(count)]
        if not is_valid(match.group()) or (not self._trust and self._swallows(covered)):
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


class _Lines:
    """The lines of a block, line break included.

    Attributes:
        starts: ``(n + 1,)``, where each begins, and where the last one ends.
    """

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._bytes = np.frombuffer(block, np.uint8)
        breaks = self._bytes == 10
        if b"\r" in block:
            carriage = self._bytes == 13
            carriage[:-1] &= self._bytes[1:] != 10
            breaks |= carriage
        ends = np.flatnonzero(breaks) + 1
        if not breaks[-1]:
            ends = np.append(ends, len(block))
        self.starts = np.concatenate([[0], ends])

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> bytes:
        return self._block[self.starts[index] : self.starts[index + 1]]

    def noted(self, encoding: bool) -> list[int]:
        """Lines that may be no rows: blank, with quotes, or with bytes that are no ASCII."""
        marks = self._bytes == 34
        if encoding:
            marks |= self._bytes >= 128
        found = np.searchsorted(self.starts, np.flatnonzero(marks), side="right") - 1
        blank = np.flatnonzero(np.isin(self._bytes[self.starts[:-1]], (10, 13)))
        return np.unique(np.concatenate([found, blank])).tolist()

    def joined(self, chosen: np.ndarray) -> tuple[bytes, np.ndarray]:
        """The bytes of the chosen of the first lines, and where each begins and the last ends."""
        sizes = np.diff(self.starts)[: len(chosen)]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]])))
        runs = zip(edges[::2], edges[1::2], strict=True)
        text = b"".join(self._block[self.starts[run] : self.starts[end]] for run, end in runs)
        return text, np.concatenate([[0], np.cumsum(sizes[chosen])])


def is_valid(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
