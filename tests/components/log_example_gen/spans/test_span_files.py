"""Which spans there are, by the names of files."""

import pytest

from mtlx.components.log_example_gen.spans.span_files import span_files


@pytest.fixture
def found(tmp_path):
    """Names of the files by span, of some that are made first."""

    def function(pattern, *names, as_run=False):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        by_span = span_files(f"{tmp_path}/{pattern}", as_run)
        return {
            span: [file.removeprefix(f"{tmp_path}/") for file in files]
            for span, files in by_span.items()
        }

    return function


def test_spans_are_in_the_order_of_their_numbers(found):
    names = ["d10/a.csv", "d9/b.csv", "d9/a.csv", "dx/a.csv", "d9/_SUCCESS"]
    assert found("d{SPAN}/*", *names) == {9: ["d9/a.csv", "d9/b.csv"], 10: ["d10/a.csv"]}


def test_dates_are_days_since_1970_and_what_is_no_date_is_none(found):
    names = ["1970-01-02.csv", "2024-02-30.csv", "2024-10-04.csv"]
    assert list(found("{YYYY}-{MM}-{DD}.csv", *names)) == [1, 20_000]


def test_of_the_versions_of_each_span_the_newest_is_taken(found):
    names = ["1/v9/a.csv", "1/v10/a.csv", "2/v1/a.csv"]
    assert found("{SPAN}/v{VERSION}/*", *names) == {1: ["1/v10/a.csv"], 2: ["2/v1/a.csv"]}


def test_a_mark_that_stands_twice_is_the_same_both_times(found):
    names = ["d1/log-1.csv", "d2/log-1.csv"]
    assert found("d{SPAN}/log-{SPAN}.csv", *names) == {1: ["d1/log-1.csv"]}


def test_numbers_with_zeros_before_them_need_a_width_where_one_is_asked_for(found):
    names = ["d01/a.csv", "d02/a.csv"]
    assert list(found("d{SPAN}/a.csv", *names)) == [1, 2]
    assert found("d{SPAN}/a.csv", as_run=True) == {}
    assert list(found("d{SPAN:2}/a.csv", as_run=True)) == [1, 2]
    assert list(found("e{SPAN}", "e0", "e1", "e10", as_run=True)) == [0, 1, 10]
