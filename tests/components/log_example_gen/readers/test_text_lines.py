"""Streams cut at line ends: the same lines whatever pieces they come in."""

import io

import pytest

from mtlx.components.log_example_gen.readers import text_lines
from mtlx.components.log_example_gen.readers.text_lines import count_lines, whole_lines

MIXED = b"a\nb\r\nc\rd\n\n\r\r\ne"


def _pieces(data, block_bytes):
    return list(whole_lines(io.BytesIO(data).read, block_bytes))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2), (b"a\r\nb\r\n", 2),
        (b"a\rb\r", 2), (b"\r\n", 1), (b"\n\r", 2), (MIXED, 8), ("é\u2028ü\x0b".encode(), 1),
    ],
)  # fmt: skip
def test_lines_are_counted_as_python_reads_them(data, lines):
    assert count_lines(data) == lines
    # What the standard library makes of the same bytes, line by line.
    assert len(list(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=None))) == lines


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("data", [MIXED, MIXED + b"\r", b"\r\n" * 5, b"one", b"\r", b""])
def test_pieces_are_whole_lines_and_together_the_stream(data, block_bytes):
    pieces = _pieces(data, block_bytes)
    assert b"".join(piece.data for piece in pieces) == data
    assert not any(piece.overlong for piece in pieces)
    assert all(piece.data for piece in pieces)
    # Nothing is cut: the lines of the pieces are those of the whole.
    assert sum(count_lines(piece.data) for piece in pieces) == count_lines(data)
    for piece, following in zip(pieces, pieces[1:], strict=False):
        assert piece.data.endswith((b"\n", b"\r"))
        assert not (piece.data.endswith(b"\r") and following.data.startswith(b"\n"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("block_bytes", [4, 7, 16])
def test_a_line_that_is_too_long_is_one_piece_of_its_start_and_the_others_stay(
    monkeypatch, end, block_bytes
):
    monkeypatch.setattr(text_lines, "MAX_LINE_BYTES", 16)
    monkeypatch.setattr(text_lines, "_SHOWN_BYTES", 6)
    lines = [b"first", b"x" * 50, b"third", b"y" * 14]
    pieces = _pieces(end.join(lines) + end, block_bytes)
    long = [piece for piece in pieces if piece.overlong]
    assert [piece.data for piece in long] == [b"xxxxxx"]
    kept = b"".join(piece.data for piece in pieces if not piece.overlong)
    assert kept.split(end) == [b"first", b"third", b"y" * 14, b""]
    # In the order of the stream.
    place = pieces.index(long[0])
    assert b"".join(piece.data for piece in pieces[:place]) == b"first" + end


def test_the_last_line_may_be_too_long_and_without_an_end(monkeypatch):
    monkeypatch.setattr(text_lines, "MAX_LINE_BYTES", 8)
    *first, last = _pieces(b"ok\n" + b"z" * 30, 4)
    assert last.overlong and last.data == b"z" * len(last.data)
    assert b"".join(piece.data for piece in first) == b"ok\n"


def test_an_overlong_line_is_not_held(monkeypatch):
    monkeypatch.setattr(text_lines, "MAX_LINE_BYTES", 1 << 10)
    pieces = _pieces(b"q" * (1 << 16) + b"\nend\n", 1 << 8)
    assert [len(piece.data) for piece in pieces if piece.overlong] == [200]
    assert pieces[-1].data == b"end\n"
