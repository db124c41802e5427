"""Which lines are rows: quotes that hold line breaks, and those that are only stray."""

import csv
import io

import pytest

from mtlx.components.log_example_gen.readers.text_records import RecordSplitter, is_valid
from mtlx.components.log_example_gen.rejection import NOT_IN_ENCODING, OPEN_QUOTE


def _split(block, values=2, quoted=True, trust=False, final=True, delimiter=b",", first=1):
    return RecordSplitter(delimiter, values, quoted, trust).split(block, first, final)


def _rows(found):
    bounds = zip(found.starts[:-1], found.starts[1:], strict=True)
    return [found.text[start:end] for start, end in bounds]


@pytest.mark.parametrize(
    ("line", "closes"),
    [
        (b"a,b", True), (b"", True), (b'"a",b', True), (b'"a,b', False), (b'a,"', False),
        (b'"a""b",c', True), (b'"a""', False), (b'"a" more,b', True), (b'a"b,c', True),
        (b'"",""', True), (b'"a","b', False),
    ],
)  # fmt: skip
def test_whether_a_quote_is_open_at_the_end_of_a_line(line, closes):
    assert RecordSplitter(b",", 2, True, False).closes(line) is closes
    # Without quotes there is none that could be open.
    assert RecordSplitter(b",", 2, False, False).closes(line)


def test_plain_lines_are_a_row_each_with_their_number():
    found = _split(b"a,1\nb,2\r\nc,3", first=40)
    assert _rows(found) == [b"a,1\n", b"b,2\r\n", b"c,3"]
    assert found.lines.tolist() == [40, 41, 42]
    assert (found.blank, found.continuations, found.malformed, found.consumed) == (0, 0, [], 12)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_values_with_line_breaks_are_rows_as_the_standard_library_reads_them(end):
    text = end.join(['a,"one', 'two"', 'b,"x""y', "", 'z"', "c,3", ""])
    found = _split(text.encode())
    rows = list(csv.reader(io.StringIO(found.text.decode(), newline="")))
    assert rows == list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["a", f"one{end}two"], ["b", f'x"y{end}{end}z'], ["c", "3"]]
    assert found.lines.tolist() == [1, 3, 6]
    assert (found.continuations, found.blank, found.malformed) == (3, 0, [])


def test_a_stray_quote_costs_its_own_line_alone():
    found = _split(b'a,"one\nb,2\nc,3\n')
    assert _rows(found) == [b"b,2\n", b"c,3\n"]
    assert found.malformed == [(1, b'a,"one', OPEN_QUOTE)]
    assert found.lines.tolist() == [2, 3]


def test_trusted_quotes_may_hold_lines_that_look_like_rows():
    block = b'a,"one\nb,2\nend"\nc,3\n'
    assert _split(block).malformed[0][0] == 1
    found = _split(block, trust=True)
    assert _rows(found) == [b'a,"one\nb,2\nend"\n', b"c,3\n"] and not found.malformed


def test_a_row_that_the_block_does_not_end_is_left_for_the_next():
    block = b'a,1\nb,"be'
    found = _split(block, final=False)
    assert _rows(found) == [b"a,1\n"] and found.consumed == 4
    # At the end of the file it is malformed.
    found = _split(block, final=True)
    assert found.malformed == [(2, b'b,"be', OPEN_QUOTE)] and found.consumed == len(block)


def test_a_row_of_the_wrong_number_of_values_does_not_go_on():
    """Three values where two belong: the quote is stray, and the next line a row."""
    found = _split(b'a,b,"x\ny"\nc,3\n')
    assert [line for line, *_ in found.malformed][0] == 1
    assert _rows(found)[-1] == b"c,3\n"


def test_blank_lines_and_bytes_that_are_no_text_are_told_apart():
    found = _split(b"a,1\n\nb,\xff\n\r\n" + "ü,男\n".encode())
    assert _rows(found) == [b"a,1\n", "ü,男\n".encode()]
    assert found.blank == 2
    assert found.malformed == [(3, b"b,\xff", NOT_IN_ENCODING)]
    assert found.lines.tolist() == [1, 5]


def test_without_quotes_every_line_is_a_row():
    found = _split(b'a,"one\nb",2\n', quoted=False)
    assert _rows(found) == [b'a,"one\n', b'b",2\n'] and not found.malformed


def test_a_delimiter_that_means_something_in_a_pattern_is_itself():
    found = _split(b'a|"x|y"\nb|"c\nd"\n', delimiter=b"|")
    assert _rows(found) == [b'a|"x|y"\n', b'b|"c\nd"\n']
    assert not _split(b'a.b.c\n"x', delimiter=b".").lines.tolist()[1:]


def test_utf8_is_told_from_other_bytes():
    assert is_valid(b"") and is_valid(b"plain") and is_valid("straße 男 🎉".encode())
    assert not is_valid("é".encode("latin-1")) and not is_valid("🎉".encode()[:3])
