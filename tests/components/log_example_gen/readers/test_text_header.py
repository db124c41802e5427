"""The first line of delimited text, and files that are no text."""

import pytest

from mtlx.components.log_example_gen.readers.text_header import header_names, refuse_other_kinds
from mtlx.components.log_example_gen.readers.text_lines import Piece
from mtlx.components.log_example_gen.rejection import InputRefused


def _names(*datas, file="log.csv", delimiter=","):
    names, behind = header_names(file, iter([Piece(data) for data in datas]), delimiter)
    return names, [piece.data for piece in behind]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_first_line_is_taken_off_and_nothing_else(end):
    names, behind = _names(b"a,b" + end + b"1,2" + end, b"3,4")
    assert names == ["a", "b"]
    assert behind == [b"1,2" + end, b"3,4"]


def test_a_header_alone_leaves_nothing():
    assert _names(b"a,b\n") == (["a", "b"], [])
    assert _names(b"a") == (["a"], [])


def test_names_may_hold_the_delimiter_blanks_and_any_script():
    text = '"a, b", x ,"q ""z""",Straße,都市\n'
    assert _names(text.encode())[0] == ["a, b", " x ", 'q "z"', "Straße", "都市"]
    assert _names(b"a|b,c\n", delimiter="|")[0] == ["a", "b,c"]


@pytest.mark.parametrize(
    ("data", "file", "words"),
    [
        ([], "log.csv", "log.csv: is empty; a header with column names is expected"),
        ([b"\na,b\n"], "log.csv", "log.csv:1: the first line is blank"),
        ([b" \t\r\na,b\n"], "log.csv", "the first line is blank"),
        ([b"a,b\xe9\n"], "log.csv", r"is not UTF-8 \(byte 0xe9 at place 4\); name the encoding"),
        ([b"a\0,\0b\0\n"], "log.csv", "holds zero bytes; if it is UTF-16, set data.options"),
        ([b'a,"b\n'], "log.csv", "log.csv:1: the header cannot be read"),
        ([b"a\xff\n"], "log.csv.gz", "ends in .gz, but it does not begin as gzip does"),
    ],
)
def test_what_is_no_header_is_refused_with_file_line_and_remedy(data, file, words):
    with pytest.raises(InputRefused, match=words):
        _names(*data, file=file)


def test_a_header_that_never_ends_is_refused():
    with pytest.raises(InputRefused, match="longer than 4 MiB; is this a text file"):
        header_names("log.csv", iter([Piece(b"x" * 200, overlong=True)]), ",")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("a".encode("utf-16"), "text in UTF-16: set data.options: {encoding: utf-16}"),
        ("a".encode("utf-32"), "text in UTF-32"),
        (b"\xfe\xff\0a", "text in UTF-16"),
        (b"PAR1....", "a Parquet file: set data.reader: parquet"),
        (b"PK\x03\x04..", "a zip file: unpack it"),
        (b"BZh9", "a bzip2 file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
    ],
)
def test_other_kinds_of_files_are_named_with_what_to_do(start, kind):
    with pytest.raises(InputRefused) as caught:
        refuse_other_kinds("logs/a.csv", start)
    assert str(caught.value).startswith(f"logs/a.csv: is {kind}")


def test_text_is_let_through():
    for start in (b"", b"a,b\n", "\ufeffä".encode(), b"PARIS,1", b"BZ"):
        refuse_other_kinds("a.csv", start)
