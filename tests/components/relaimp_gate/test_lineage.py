"""Which rows a model has seen, told from files, splits, spans and times."""

import dataclasses

import pytest

from mtlx.components.relaimp_gate.lineage import lineage, seen_test_rows
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples, SeenFile

BY_FILE = {"by": "file"}


def _rows(train=0, validation=0, test=0):
    return {"train": train, "validation": validation, "test": test}


def _seen(uri, files, split, **fields):
    made = {path: SeenFile((100, stamp), rows) for path, (stamp, rows) in files.items()}
    total = {
        name: sum(file.rows[name] for file in made.values())
        for name in ("train", "validation", "test")
    }
    return SeenExamples(uri, rows=total, files=made, split=split, **fields)


def _days(uri, train, test):
    files = {f"day{day}": (1, _rows(train=90, validation=10)) for day in train}
    return _seen(uri, files | {f"day{test}": (1, _rows(test=100))}, {"by": "file", "test": test})


def test_the_day_after_nothing_of_the_test_rows_was_seen():
    today, before = _days("b", (2, 3), 4), _days("a", (1, 2), 3)
    assert seen_test_rows(today, before) == (0, 0)
    # The other way round the model of day 4 was trained on the day that is tested now.
    assert seen_test_rows(before, today) == (100, 100)


def test_what_the_model_before_saw_was_seen_too():
    today, before = _days("c", (3, 4), 5), _days("a", (5, 6), 7)
    model = _days("b", (1, 2), 3)
    assert seen_test_rows(today, model) == (0, 0)
    model = dataclasses.replace(model, before=(before, _days("d", (1,), 2)))
    assert seen_test_rows(today, model) == (100, 100)
    found = lineage(today, {"baseline": model}, None).models[1]
    assert (found.leaks, found.seen_test_rows) == (True, "100 of 100")
    unknown = dataclasses.replace(model, before=(SeenExamples("e"),))
    assert seen_test_rows(today, unknown) is None


@pytest.mark.parametrize(
    ("then", "rule", "stamp", "expected"),
    [
        (_rows(train=80, test=20), {"by": "hash", "seed": 2}, 1, (0, 20)),
        (_rows(train=95, test=5), {"by": "hash", "seed": 2}, 1, (15, 20)),
        (_rows(train=80, test=20), {"by": "hash", "seed": 1}, 1, (0, 0)),
        # The file changed: the same path, and nobody knows which rows are the same.
        (_rows(train=95, test=5), {"by": "hash", "seed": 1}, 2, (0, 20)),
    ],
)
def test_one_file_split_at_random(then, rule, stamp, expected):
    today = _seen("b", {"log": (1, _rows(train=80, test=20))}, {"by": "hash", "seed": 1})
    other = _seen("a", {"log": (stamp, then)}, rule)
    assert seen_test_rows(today, other) == expected


def test_positions_are_the_same_only_in_the_same_input():
    rule = {"by": "row", "shuffle": True}
    today = _seen("b", {"log": (1, _rows(train=80, test=20))}, rule)
    assert seen_test_rows(today, dataclasses.replace(today, uri="a")) == (0, 0)
    files = {"log": (1, _rows(train=80, test=20)), "more": (1, _rows(train=80, test=20))}
    assert seen_test_rows(today, _seen("a", files, rule)) == (0, 20)


def _timed(uri, train, test, column="at"):
    times = {"train": train, "test": test}
    files = {"log": (1, _rows(train=80, test=20))}
    split = {"by": "time", "test_from": test[0]}
    return _seen(uri, files, split, time_column=column, times=times)


def test_rows_before_the_tested_time_are_no_leak():
    before = _timed("a", ("2024-01-01", "2024-01-05"), ("2024-01-06", "2024-01-07"))
    today = _timed("b", ("2024-01-01", "2024-01-06"), ("2024-01-07", "2024-01-08"))
    assert seen_test_rows(today, before) == (0, 0)
    assert seen_test_rows(before, today) == (0, 20)


def _span(uri, span):
    return SeenExamples(uri, span, f"span {span}")


def test_an_older_span_is_named():
    found = lineage(_span("b", 3), {"baseline": _span("a", 5)}, _span("a", 5))
    assert found.older == (
        "the candidate was tested on span 3, older than span 5 on which the model blessed last "
        "was tested"
    )
    assert lineage(_span("b", 5), {}, _span("a", 5)).older is None
    assert lineage(_span("b", 6), {}, _span("a", 5)).older is None
    assert lineage(_span("b", 3), {}, None).older is None, "there is nothing to replace"


@pytest.mark.parametrize(
    ("now", "then", "older"),
    [
        ("2024-01-07", "2024-01-08", True),
        ("2024-01-08", "2024-01-08", False),
        # The later instant of the two, though the earlier text.
        ("2024-01-07T23:30:00-05:00", "2024-01-08T00:10:00Z", False),
        (900.0, 1000.0, True),
        (1100.0, 1000.0, False),
        ("900", "1000", True),
        # A time cannot be told from a number: not older for all that is known.
        ("2024-01-07", 1000.0, False),
    ],
)
def test_without_spans_the_times_of_the_test_rows_tell(now, then, older):
    today, served = (_timed(uri, (end, end), (end, end)) for uri, end in (("b", now), ("a", then)))
    assert (lineage(today, {}, served).older is not None) is older


def test_times_of_two_columns_are_not_compared():
    today = _timed("b", (1.0, 1.0), (1.0, 2.0))
    served = _timed("a", (8.0, 8.0), (8.0, 9.0), column="seen_at")
    assert lineage(today, {}, served).older is None
    assert seen_test_rows(served, today) == (0, 20), "one file, and no order in time"


def test_records_say_what_is_known_and_what_is_not():
    today, before = _days("b", (1, 2), 3), _days("a", (2, 3), 4)
    candidate, baseline, given = lineage(today, {"baseline": before, "anchor": None}, before).models
    assert (candidate.model, candidate.seen_test_rows, candidate.leaks) == (
        "candidate", "none", False,
    )  # fmt: skip
    assert candidate.trained_on == "180 train, 20 validation"
    assert baseline.examples == "3 files (2 of them read now, too)"
    assert (baseline.seen_test_rows, baseline.leaks) == ("100 of 100", True)
    assert {given.examples, given.trained_on, given.seen_test_rows} == {"not known"}


def test_of_a_stock_example_gen_only_the_span_is_known():
    assert seen_test_rows(_span("b", 3), _span("a", 5)) == (0, 0)
    assert seen_test_rows(_span("b", 3), _span("a", 3)) is None
    assert seen_test_rows(SeenExamples("b"), SeenExamples("a")) is None


def _window(train, test, files=True, **fields):
    """A window's rows, one file per day, of which only the span says whether it trains."""
    made = {f"day{day}": (1, _rows(train=90, validation=10)) for day in train}
    made |= {f"day{test}": (1, {"train": 0, "validation": 0, "test": 100})}
    spans = {"trained_spans": frozenset(train), "tested_spans": frozenset([test]), "span": test}
    seen = _seen(f"{train}{test}", made if files else {}, {"by": "span", "seed": 1}, **spans)
    return dataclasses.replace(seen, **fields)


def test_of_windows_a_span_that_tests_now_and_trained_then_is_seen():
    """Although the rule by which rows validate is the same, and so are the files."""
    older, newer = _window((1, 2, 3), 4), _window((2, 3, 4), 5)
    assert seen_test_rows(newer, older) == (0, 0)
    assert seen_test_rows(older, newer) == (100, 100)


def test_of_windows_whose_files_are_gone_the_spans_tell():
    older, newer = _window((1, 2, 3), 4, files=False), _window((2, 3, 4), 5, files=False)
    assert seen_test_rows(newer, older) == (0, 0)
    assert seen_test_rows(older, newer) is None  # seen, but nobody knows how many


def test_an_older_window_does_not_replace_a_newer_one():
    older, newer = _window((1, 2, 3), 4), _window((2, 3, 4), 5)
    newer = dataclasses.replace(newer, span_words="spans 2 to 4, tested on 5")
    assert lineage(newer, {}, older).older is None
    assert "older than" in lineage(older, {}, newer).older
