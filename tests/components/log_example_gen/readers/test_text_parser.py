"""Blocks of lines as tables: every line is a row, rejected or known to be none."""

import csv
import io

import numpy as np
import pytest

from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_parser import TextParser

NAMES = ["user", "city", "price"]


def _parse(block, names=NAMES, columns=None, first=1, final=True, **layout):
    parser = TextParser("log.csv", names, columns or names, TextLayout(",", **layout))
    return parser.parse(block, first, final)


def _values(rows):
    return [tuple(row.values()) for row in rows.columns.to_pylist()]


def _accounted(rows):
    """Lines that were read are rows, rejected or aside: none is lost, none counts twice."""
    return len(rows.lines) + len(rows.rejected) + sum(rows.aside.values())


def test_values_stay_the_texts_that_they_are():
    """No number, date, truth value or null is made of any: that is the contract's to say."""
    texts = [("007", "NULL", "1e3"), ("true", "2024-01-31", ""), (" a ", "nan", "-0.0")]
    block = "".join(",".join(row) + "\n" for row in texts).encode()
    rows, consumed = _parse(block)
    assert _values(rows) == texts and consumed == len(block)
    assert {str(field.type) for field in rows.columns.schema} == {"string"}
    assert rows.lines.tolist() == [1, 2, 3] and rows.read == 3 and not rows.rejected


def test_columns_come_in_the_order_that_is_asked_for():
    rows, _ = _parse("a,Köln,1\nb,北京,2\n".encode(), columns=["price", "city"])
    assert rows.columns.column_names == ["price", "city"]
    assert _values(rows) == [("1", "Köln"), ("2", "北京")]


def test_a_name_may_stand_twice_where_nobody_wants_it():
    rows, _ = _parse(b"a,b,c,d\n", names=["x", "user", "x", "y"], columns=["y", "user"])
    assert _values(rows) == [("d", "b")]


def test_quoted_values_are_those_of_the_standard_library():
    text = 'a,"x, y",1\n"q ""z""",,2\n"two\nlines",b,3\n"",c,\n'
    rows, _ = _parse(text.encode())
    expected = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
    assert _values(rows) == expected
    assert rows.lines.tolist() == [1, 2, 3, 5]
    assert _accounted(rows) == rows.read == 5


def test_a_row_with_too_few_or_too_many_values_is_rejected_with_both_numbers():
    rows, _ = _parse(b"a,b,1\nc,d\ne,f,2,3\ng,h,4\n", first=100)
    assert rows.lines.tolist() == [100, 103] and _values(rows)[1] == ("g", "h", "4")
    told = [(row.line, row.reason, row.value) for row in rows.rejected]
    assert told == [
        (101, "wrong number of values", "2 instead of 3: c,d"),
        (102, "wrong number of values", "4 instead of 3: e,f,2,3"),
    ]
    assert {row.file for row in rows.rejected} == {"log.csv"}
    assert _accounted(rows) == rows.read == 4


def test_lines_without_a_value_are_rejected_and_blank_ones_set_aside():
    rows, _ = _parse(b'a,b,1\n\n,,\n"","",""\n\r\nc,d,2\n')
    assert rows.lines.tolist() == [1, 6]
    assert [(row.line, row.reason) for row in rows.rejected] == [(3, "no values"), (4, "no values")]
    assert rows.aside["blank"] == 2
    assert _accounted(rows) == rows.read == 6


def test_a_row_without_a_value_where_it_is_wanted_is_kept_if_it_has_another():
    rows, _ = _parse(b",,1\n,b,\n,,\n", columns=["user"])
    assert rows.lines.tolist() == [1, 2] and _values(rows) == [("",), ("",)]
    assert [row.line for row in rows.rejected] == [3]


def test_rejected_lines_stand_in_the_order_of_the_file():
    rows, _ = _parse(b'a,b\nc,"d,1\n,,\ne,f,\xff\ng,h,2\n')
    assert [(row.line, row.reason) for row in rows.rejected] == [
        (1, "wrong number of values"),
        (2, "quote is not closed"),
        (3, "no values"),
        (4, "not in its encoding"),
    ]
    assert rows.lines.tolist() == [5]


def test_a_row_that_goes_on_is_left_and_read_whole_with_what_follows():
    block = b'a,b,1\nc,"d\n'
    rows, consumed = _parse(block, final=False)
    assert (rows.lines.tolist(), consumed, rows.read) == ([1], 6, 1)
    rows, consumed = _parse(block[consumed:] + b'e",2\n', first=2)
    assert _values(rows) == [("c", "d\ne", "2")] and rows.lines.tolist() == [2]
    assert rows.aside["continuation"] == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_row_and_the_last_may_have_none(end):
    rows, _ = _parse(end.join(["a,b,1", "c,d,2"]).encode())
    assert _values(rows) == [("a", "b", "1"), ("c", "d", "2")]


def test_where_values_have_no_quotes_a_quote_is_a_character():
    rows, _ = _parse(b'"a,b"",5" screen\n', quoted=False)
    assert _values(rows) == [('"a', 'b""', '5" screen')]


def test_a_byte_order_mark_inside_the_file_is_part_of_its_value():
    rows, _ = _parse(b"\xef\xbb\xbfa,b,1\n")
    assert _values(rows) == [("\ufeffa", "b", "1")]


def test_an_empty_block_has_the_columns_and_no_rows():
    rows, consumed = _parse(b"", columns=["city"])
    assert (consumed, rows.columns.num_rows, rows.columns.column_names) == (0, 0, ["city"])
    assert rows.lines.dtype == np.int64


def test_one_column_alone_has_its_blank_lines_told_from_empty_values():
    rows, _ = _parse(b'a\n\n""\nb\n', names=["user"])
    assert _values(rows) == [("a",), ("b",)] and rows.lines.tolist() == [1, 4]
    assert rows.aside["blank"] == 1
    assert [(row.line, row.reason) for row in rows.rejected] == [(3, "no values")]
