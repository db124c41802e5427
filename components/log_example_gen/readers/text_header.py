"""The first bytes and the first line of delimited text."""

import csv
import re
from collections.abc import Iterator

from mtlx.components.log_example_gen.readers.text_lines import MAX_LINE_BYTES, Piece
from mtlx.components.log_example_gen.rejection import InputRefused

#: First bytes of what is no text in UTF-8, and what it is then; the longer ones first.
_OTHER_KINDS = {
    b"\xff\xfe\x00\x00": "text in UTF-32: set data.options: {encoding: utf-32}",
    b"\xff\xfe": "text in UTF-16: set data.options: {encoding: utf-16}",
    b"\xfe\xff": "text in UTF-16: set data.options: {encoding: utf-16}",
    b"PAR1": "a Parquet file: set data.reader: parquet",
    b"PK\x03\x04": "a zip file: unpack it",
    b"BZh": "a bzip2 file: unpack it, or pack it with gzip",
    b"\xfd7zXZ\x00": "an xz file: unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "a zstd file: unpack it, or pack it with gzip",
}

_ENCODING = "name the encoding, as in data.options: {encoding: latin-1}, or write the log as UTF-8"


def refuse_other_kinds(file: str, start: bytes) -> None:
    """Refuses a file whose first bytes are those of something else than UTF-8.

    Raises:
        InputRefused: names it, and what can be done.
    """
    for mark, kind in _OTHER_KINDS.items():
        if start.startswith(mark):
            raise InputRefused(f"{file}: is {kind}")


def header_names(
    file: str, pieces: Iterator[Piece], delimiter: str
) -> tuple[list[str], Iterator[Piece]]:
    """Takes the first line off.

    Args:
        file: path, for messages.
        pieces: of the text.
        delimiter: one character.

    Returns:
        The column names and the pieces behind the first line.

    Raises:
        InputRefused: the file is empty, or the first line is no header in UTF-8.
    """
    piece = next(pieces, None)
    if piece is None:
        raise InputRefused(f"{file}: is empty; a header with column names is expected")
    # One line of bytes; the rest of the piece is whole lines again.
    found = re.match(rb"[^\r\n]*(?:\r\n|\r|\n)?", piece.data)
    line = found.group() if found else b""
    if piece.overlong:
        raise InputRefused(
            f"{file}:1: the header is longer than {MAX_LINE_BYTES >> 20} MiB; is this a text file?"
        )
    if not line.strip():
        raise InputRefused(
            f"{file}:1: the first line is blank; a header with column names is expected there"
        )
    return _names(file, line, delimiter), _behind(Piece(piece.data[len(line) :]), pieces)


def _names(file: str, line: bytes, delimiter: str) -> list[str]:
    unpacked = file.endswith(".gz")
    hint = "; its name ends in .gz, but it does not begin as gzip does" if unpacked else ""
    if b"\0" in line:
        raise InputRefused(
            f"{file}:1: the header holds zero bytes; if it is UTF-16, set data.options: "
            f"{{encoding: utf-16}} (or utf-16-le, utf-16-be){hint}"
        )
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise InputRefused(
            f"{file}:1: the header is not UTF-8 (byte {line[error.start]:#04x} at place "
            f"{error.start + 1}); {_ENCODING}{hint}"
        ) from error
    try:
        # Strict: else a quote that is not closed would join names without a word.
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputRefused(f"{file}:1: the header cannot be read: {error}") from error


def _behind(first: Piece, others: Iterator[Piece]) -> Iterator[Piece]:
    if first.data:
        yield first
    yield from others
