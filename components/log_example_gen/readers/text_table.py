"""Delimited text as Arrow batches of strings, with the line of every row."""

import zlib
from collections.abc import Callable, Iterator

from mtlx.components.log_example_gen.readers.files import Stream
from mtlx.components.log_example_gen.readers.reader import Reader, Rows
from mtlx.components.log_example_gen.readers.text_bytes import is_utf8, utf8_reader
from mtlx.components.log_example_gen.readers.text_header import header_names, refuse_other_kinds
from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_lines import MAX_LINE_BYTES, Piece, whole_lines
from mtlx.components.log_example_gen.readers.text_parser import TextParser
from mtlx.components.log_example_gen.rejection import InputRefused

#: Bytes that are parsed at once.
_BLOCK_BYTES = 4 << 20

_BOM = b"\xef\xbb\xbf"


def read_text_table(
    file: str, open_stream: Callable[[], Stream], columns: list[str], layout: TextLayout
) -> Iterator[Rows]:
    """Parses delimited text; all columns stay text, whatever they hold.

    Every line is accounted for. It begins a row of `Rows.columns`, or is one of
    `Rows.rejected` (a wrong number of values, a quote that is not closed, see `RecordSplitter`,
    bytes that the encoding does not know, delimiters without any value, a line that is too
    long), or of `Rows.aside`: the header, a blank line, one that goes on with a value of the
    line before.

    Args:
        file: path, for messages.
        open_stream: opens the unpacked bytes.
        columns: names of the columns that are wanted.
        layout: how the text is written.

    Raises:
        InputRefused: no delimited text, a damaged file, a header that cannot be read, or one
            that lacks a wanted column or names it twice.
    """
    number = 1
    try:
        with open_stream() as stream:
            pieces = whole_lines(utf8_reader(stream, layout.encoding), _BLOCK_BYTES)
            pieces = _without_mark(file, pieces, layout.encoding)
            names = list(layout.names or ())
            if layout.names is None:
                names, pieces = header_names(file, pieces, layout.delimiter)
                _check_header(file, columns, names)
            parser = TextParser(file, names, columns, layout)
            if layout.names is None:
                number += 1
                yield parser.nothing(1, {"header": 1})
            for rows in _blocks(parser, pieces, number):
                number += rows.counted
                yield rows
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        raise InputRefused(
            f"{file}: cannot be read from about line {number} on: {error}; is the file whole?"
        ) from error


def _without_mark(file: str, pieces: Iterator[Piece], encoding: str) -> Iterator[Piece]:
    """Takes the byte order mark off; refuses what is plainly another kind of file."""
    for index, piece in enumerate(pieces):
        data = piece.data
        if index == 0:
            if is_utf8(encoding):
                refuse_other_kinds(file, data)
            data = data.removeprefix(_BOM)
        if data:
            yield Piece(data, piece.overlong)


def _check_header(file: str, columns: list[str], names: list[str]) -> None:
    """Refuses a header without a wanted column, or with two of that name."""
    Reader.check_columns(file, columns, names)
    for column in columns:
        if names.count(column) > 1:
            raise InputRefused(f"{file}:1: column {column!r} stands twice in the header")


def _blocks(parser: TextParser, pieces: Iterator[Piece], number: int) -> Iterator[Rows]:
    """Rows of all pieces; a row that its piece does not end is read with the next one."""
    pending = b""
    for piece in pieces:
        block = pending if piece.overlong else pending + piece.data
        rows, consumed = parser.parse(block, number, final=piece.overlong)
        pending = block[consumed:]
        if piece.overlong:
            reason = f"line of more than {MAX_LINE_BYTES >> 20} MiB"
            read = rows.counted
            rows.rejected.append(parser.rejection(number + read, piece.data, reason))
            rows.read = read + 1
        number += rows.counted
        yield rows
    if pending:
        yield parser.parse(pending, number, final=True)[0]
