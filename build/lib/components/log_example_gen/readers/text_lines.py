"""A stream of bytes as pieces of whole lines, whatever ends them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

#: Longest line, and longest row whose values hold line breaks.
MAX_LINE_BYTES = 4 << 20

#: Bytes of an overlong line that are kept to be shown.
_SHOWN_BYTES = 200


@dataclass(frozen=True)
class Piece:
    """The next lines of a stream.

    Attributes:
        data: whole lines with what ends them; the start alone of one that is too long.
        overlong: `data` is one line of more than `MAX_LINE_BYTES`, or its start.
    """

    data: bytes
    overlong: bool = False


def count_lines(data: bytes) -> int:
    r"""Lines as editors count them: ended by ``\n``, ``\r\n``, ``\r`` or the end of the data."""
    lines = int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))
    if b"\r" in data:
        lines += data.count(b"\r") - data.count(b"\r\n")
    return lines + (not data.endswith((b"\n", b"\r")) and bool(data))


def whole_lines(read: Callable[[int], bytes], block_bytes: int) -> Iterator[Piece]:
    """Cuts a stream at line ends.

    A line that is too long is passed over without being held in memory.

    Args:
        read: gives up to so many next bytes, and none at the end.
        block_bytes: how much is read at once; at most `MAX_LINE_BYTES`.
    """
    rest, skipped = b"", None
    while chunk := read(block_bytes):
        if skipped is not None:
            data = rest + chunk
            end = _first_end(data)
            if end == 0:
                rest = _half_end(data)
                continue
            yield Piece(skipped, overlong=True)
            rest, chunk, skipped = b"", data[end:], None
        end = _last_end(chunk)
        if end == 0:
            rest += chunk
            if len(rest) > MAX_LINE_BYTES and not _first_end(rest):
                rest, skipped = _half_end(rest), rest[:_SHOWN_BYTES]
            continue
        data, had = b"".join((rest, memoryview(chunk)[:end])), bool(rest)
        rest = chunk[end:]
        # Only the first line can hold more than one block.
        if had and (first := _first_end(data)) > MAX_LINE_BYTES:
            yield Piece(data[:_SHOWN_BYTES], overlong=True)
            data = data[first:]
        if data:
            yield Piece(data)
    if skipped is not None:
        yield Piece(skipped, overlong=True)
    elif rest:
        yield Piece(rest)


def _half_end(data: bytes) -> bytes:
    r"""A ``\r`` at the end, behind which a ``\n`` may come."""
    return data[-1:] if data.endswith(b"\r") else b""


def _first_end(data: bytes) -> int:
    r"""Where the first line ends, or 0; a ``\r`` at the end may be half of ``\r\n``."""
    newline = data.find(b"\n") + 1
    carriage = data.find(b"\r", 0, newline or len(data) - 1) + 1
    if not carriage or carriage == newline - 1:
        return newline
    return carriage


def _last_end(data: bytes) -> int:
    """Where the last line ends that surely does, or 0."""
    newline = data.rfind(b"\n") + 1
    return max(newline, data.rfind(b"\r", newline, max(len(data) - 1, newline)) + 1)
