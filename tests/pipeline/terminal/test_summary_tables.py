"""The tables of the terminal: at every width each name can be read, and nothing is lost unsaid."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.pipeline.terminal.summary_tables import summary_tables
from tests.components.slice_names import ODD_VALUES, named

TASKS = ("click", "add_to_cart", "purchase_within_the_same_session_of_the_user")
LONG = "segment=a_value_that_is_far_too_long_for_any_terminal_table"


def _results(slices, tasks=TASKS):
    metrics, comparisons = [], []
    for place, name in enumerate(slices):
        for task in tasks:
            metrics.append(
                SliceMetrics(
                    "candidate", task, named(name), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 1000 - place
                )
            )
            comparisons.append(
                Comparison("reference", task, named(name), -1.25, -12.5, 10.5, 0.01, -0.02, 0.005)
            )
    return SliceResults(("candidate", "reference"), tasks, 0.95, None, metrics, comparisons)


def _printed(results, width):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    shown = summary_tables(results, width)
    for table in shown.tables:
        console.print(table)
    return console.file.getvalue(), shown


@pytest.mark.parametrize(("width", "tables"), [(80, 3), (100, 2), (160, 1)])
def test_all_names_and_numbers_fit(width, tables):
    text, shown = _printed(_results(["overall", "domain=search", LONG]), width)
    assert max(map(len, text.splitlines())) <= width
    assert len(shown.tables) == tables
    # Rich writes an ellipsis where it cuts: only our own, which have a number, may stand there.
    assert text.count("…") == text.count(" [1]")
    assert text.count("0.7000  -1.25 [-12.50, +10.50]") == 3 * len(TASKS)
    for name in ("overall", "domain=search", "click", "add_to_cart"):
        assert name in text
    assert shown.notes == [f"[1] {TASKS[2]}", f"[1] {LONG}"]


def test_of_many_slices_the_largest_and_the_count_of_the_rest():
    slices = ["overall", *(f"age={age}" for age in range(50))]
    text, shown = _printed(_results(slices, ("click",)), 80)
    assert "age=0 " in text and "age=11 " in text and "age=12 " not in text
    assert shown.notes == ["by age: the 12 largest slices; 38 more are in the evaluation's files"]


def test_crosses_are_left_to_the_report_and_an_undefined_auc_says_why():
    metrics = [
        SliceMetrics("candidate", "click", named("overall"), 0.7, None, None, 0.5, 1.0, 30, 100),
        SliceMetrics("candidate", "click", named("domain=a"), None, None, None, 0.5, None, 0, 9),
        SliceMetrics(
            "candidate", "click", named("domain=a,age=3"), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100
        ),
    ]
    results = SliceResults(("candidate",), ("click",), 0.95, None, metrics, [])
    text, _ = _printed(results, 80)
    assert "undefined (0 of 9 positive)" in text
    assert "age=3" not in text


@pytest.mark.parametrize("width", [80, 160])
def test_values_of_any_characters_have_a_line_each(width):
    values = [value for value in ODD_VALUES if value != "overall"]
    for start in range(0, len(values), 10):
        keys = [(), *((("brand", value),) for value in values[start : start + 10])]
        text, shown = _printed(_results(keys, ("click",)), width)
        lines = [line for line in text.splitlines() if "0.7000" in line]
        assert len(lines) == len(set(lines)) == len(keys)
        assert {cell_len(line) for line in text.splitlines()} == {cell_len(lines[0])}
        assert all("\n" not in note for note in shown.notes)
