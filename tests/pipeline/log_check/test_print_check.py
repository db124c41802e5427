"""What is printed of a check: numbers, rates, times, and texts of any characters as they are."""

import io
import re
import types

import pyarrow as pa
import pytest
from rich.console import Console

from mtlx.components.log_example_gen.rejection import Rejection
from mtlx.pipeline.log_check.finding import Finding
from mtlx.pipeline.log_check.findings.feature_profile import FeatureProfile, profile_features
from mtlx.pipeline.log_check.log_check import LogCheck
from mtlx.pipeline.log_check.print_check import print_check
from mtlx.pipeline.log_check.time_ranges import TimeRanges

CATEGORY = {"kind": "categorical"}


def _printed(rows, share=1.0, findings=(), unnamed=(), features=None, memory=2**21, width=120):
    sample = types.SimpleNamespace(
        rows_read=rows.rows,
        files=["/logs/a/1.csv", "/logs/b/2.csv"],
        share=share,
        total_rows=rows.rows / share,
    )
    experiment = types.SimpleNamespace(training=types.SimpleNamespace(cache="memory"))
    features = profile_features(rows) if features is None else features
    check = LogCheck(experiment, sample, rows, features, list(unnamed), memory, list(findings))
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_check(console, check)
    return console.file.getvalue()


def _lines(text, title):
    """The cells of a table's rows, by the first of them."""
    table = text[text.index(title) :].split("└")[0]
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines()]
    return {row[0]: row[1:] for row in cells if row}


@pytest.fixture
def rows(collected):
    """Ten rows: six train, one validates, three test; domains of six, three and no value."""
    scenario = ["feed"] * 6 + ["[red]"] * 3 + [None]
    return collected(
        {"scenario": (CATEGORY, scenario)},
        {"click": [1, 1, 0, 0, 1, 0, 1, 0, 0, 0], "buy": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]},
        ["train"] * 6 + ["validation"] + ["test"] * 3,
        {
            "click": {"label": "click"},
            "buy": {"label": "buy", "after": "click", "population": "click"},
        },
        {"feature": "scenario", "values": ["feed", "[red]"]},
    )


def test_rates_are_those_of_each_task_s_population(rows):
    found = _lines(_printed(rows), "Labels (rate of positives")
    # Rows, positives, rate; then of train, validation and test, none of which was clicked.
    assert found["click"] == ["10", "4", "40%", "50%", "100%", "0%"]
    assert found["buy"] == ["4", "1", "25%", "33.3%", "0%", "-"]


def test_rates_by_domain_are_of_the_domain_s_rows_the_largest_first(rows):
    found = _lines(_printed(rows), "Rates by domain")
    assert list(found) == ["feed", "[red]"]
    assert found == {"feed": ["6", "50%", "33.3%"], "[red]": ["3", "33.3%", "0%"]}


def test_splits_have_their_rows_and_times(rows):
    times = TimeRanges(["day"])
    times.add(pa.table({"day": [f"2024-03-{day:02d}" for day in range(1, 11)]}))
    rows.times = times
    found = _lines(_printed(rows), "Splits")
    assert found["train"] == ["6", "2024-03-01 00:00:00", "2024-03-06 00:00:00"]
    assert found["validation"] == ["1", "2024-03-07 00:00:00", "2024-03-07 00:00:00"]
    assert found["test"] == ["3", "2024-03-08 00:00:00", "2024-03-10 00:00:00"]


def test_all_rows_are_told_from_a_sample(rows):
    text = _printed(rows)
    assert "Read all 10 rows of 2 files in /logs\n" in text
    assert "Training keeps 2 MiB of examples" in text
    text = _printed(rows, share=0.01)
    assert "Read 10 rows of 2 files in /logs: 1.0% of about 1,000, evenly spread." in text
    assert "Training keeps about 2 MiB of examples" in text
    assert [cells[0] for cells in _lines(text, "Splits").values()] == ["~600", "~100", "~300"]


def test_more_domains_than_fit_are_counted(collected):
    names = [f"d{number:02d}" for number in range(23) for _ in range(number + 1)]
    rows = collected(
        {"scenario": (CATEGORY, names)},
        {"click": [1] * len(names)},
        domain={"feature": "scenario", "values": sorted(set(names))},
    )
    found = _lines(_printed(rows), "Rates by domain")
    assert list(found) == [*(f"d{number:02d}" for number in range(22, 2, -1)), "and 3 more"]
    assert found["d22"] == ["23", "100%"]


def test_many_tasks_are_several_tables(collected):
    labels = {f"task_{number}": [1, 0] for number in range(6)}
    domain = {"feature": "scenario", "values": ["a"]}
    rows = collected({"scenario": (CATEGORY, ["a", "a"])}, labels, domain=domain)
    text = _printed(rows, width=80)
    assert text.count("Rates by domain") == 2
    assert all(re.search(rf"\b{name}\b", text.split("Rates by domain", 1)[1]) for name in labels)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("missing", "shown"), [(0.0, "-"), (0.0004, "< 0.1%"), (0.25, "25.0%"), (1.0, "100.0%")]
)
def test_missing_shares_are_not_rounded_to_none(rows, missing, shown):
    profile = FeatureProfile("scenario", "categorical", "text", 1234, missing, None, False)
    assert _lines(_printed(rows, features=[profile]), "Features (10 rows)")["scenario"] == [
        "categorical", "text", "1,234", shown,
    ]  # fmt: skip


def test_brackets_are_printed_as_they_are(rows):
    """Rich takes ``[ms]`` for a style that it does not know, and ``[/x]`` for the end of one."""
    profile = FeatureProfile("at", "categorical", "timestamp[ms, tz=UTC]", 1, 0.0, None, False)
    rows.malformed["not a number"] = 2
    rows.examples["not a number"] = Rejection("/l[a]/x.csv", 3, "price", "[/b]", "not a number")
    text = _printed(
        rows,
        features=[profile],
        unnamed=["[bold]", "[/u]"],
        findings=[Finding(True, "x[a]: y[/a]"), Finding(False, "[z]"), Finding(False, "w")],
    )
    assert _lines(text, "Features")["at"][1] == "timestamp[ms, tz=UTC]"
    assert "Malformed, not a number: 2, such as /l[a]/x.csv:3: price: not a number: '[/b]'" in text
    assert "does not name: [bold], [/u]" in text
    assert "error: x[a]: y[/a]\nwarning: [z]\nwarning: w\n1 error(s), 2 warning(s)\n" in text


def test_without_rows_there_are_no_tables(collected):
    rows = collected({"item": (CATEGORY, [])}, {"click": []})
    text = _printed(rows, findings=[Finding(True, "no row passed")])
    assert "Features" not in text and "Labels" not in text
    assert text.endswith("error: no row passed\n1 error(s), 0 warning(s)\n")
