"""How spans are named."""

import pytest

from mtlx.components.log_example_gen.spans.span_marks import (
    has_span,
    is_date,
    many_words,
    span_words,
)


@pytest.mark.parametrize(
    ("pattern", "has", "date"),
    [
        ("/l/day={SPAN}/*.csv", True, False),
        ("/l/day={SPAN:3}/*.csv", True, False),
        ("/l/{YYYY}-{MM}-{DD}.csv", True, True),
        ("/l/day=*/*.csv", False, False),
        ("/l/{VERSION}/{a}.csv", False, False),
    ],
)
def test_patterns_with_and_without_a_place_for_a_span(pattern, has, date):
    assert (has_span(pattern), is_date([pattern])) == (has, date)


def test_a_span_is_a_number_or_a_date():
    assert span_words(20_000, False) == "20000"
    assert span_words(20_000, True) == "2024-10-04"


def test_spans_that_follow_on_each_other_are_a_range():
    assert many_words([3, 1, 2, 5, 8, 7], False) == "1 to 3, 5, 7 to 8"
    assert many_words([20_000, 20_001], True) == "2024-10-04 to 2024-10-05"
    assert many_words([], False) == ""
