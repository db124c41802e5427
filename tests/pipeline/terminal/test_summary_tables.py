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


def test_brackets_are_printed_as_they_are():
    """Rich takes ``[red]`` for a style, and ``[/b]`` for the end of one, which is an error."""
    values = ["[red]", "[/b]", "[link=x]y", "[1]"]
    keys = [(("brand", value),) for value in values]
    text, _ = _printed(_results(keys, ("buy[now]", "[/x]")), 120)
    for name in ("brand=[red]", "brand=[/b]", "link=x]y", "brand=[1]", "buy[now]", "[/x]"):
        assert name in text
    assert len({cell_len(line) for line in text.splitlines()}) == 1


def test_the_first_model_to_compare_with_gives_the_title_and_the_gains():
    key = named("overall")
    metric = SliceMetrics("candidate", "click", key, 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100)
    pairs = [
        Comparison(name, "click", key, gain, None, None, 0.01, None, None)
        for name, gain in (("anchor", 9.0), ("reference", 2.5), ("baseline", 1.5))
    ]
    for models, title, cell in (
        (("candidate", "baseline", "reference"), "RelaImp over the baseline", "0.7000  +1.50"),
        (("candidate", "reference", "anchor"), "RelaImp over the reference", "0.7000  +2.50"),
        (("candidate", "anchor"), "Candidate's AUC", "0.7000"),
        (("candidate",), "Candidate's AUC", "0.7000"),
    ):
        text, shown = _printed(SliceResults(models, ("click",), 0.95, None, [metric], pairs), 80)
        assert shown.title.endswith(f"{title} (%)" if "over" in title else title)
        assert f"{cell} │" in text and "[" not in text


def test_a_slice_without_rows_of_a_task_says_so():
    metrics = [
        SliceMetrics("candidate", task, named(name), auc, None, None, 0.5, 1.0, 3, rows)
        for task, name, auc, rows in (
            ("click", "overall", 0.7, 9), ("buy", "overall", 0.6, 5),
            ("click", "domain=a", 0.8, 9), ("buy", "domain=b", None, 0),
        )
    ]  # fmt: skip
    text, _ = _printed(SliceResults(("candidate",), ("click", "buy"), 0.95, None, metrics, []), 80)
    rows = {line.split("│")[1].strip(): line for line in text.splitlines() if "│" in line}
    assert "0.8000" in rows["domain=a"] and rows["domain=a"].count("no rows") == 1
    assert rows["domain=b"].count("no rows") == 2
