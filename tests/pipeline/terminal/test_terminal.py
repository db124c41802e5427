import dataclasses
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from mtlx.components.relaimp_gate.verdict import Check, FamilyDecision, Verdict
from mtlx.components.serving_check.serving_outcome import ServingFinding, ServingOutcome
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.pipeline.run.run_result import NodeRun, RunResult
from mtlx.pipeline.terminal.terminal import NodeLines, print_summary
from tests.components.slice_names import named


def _console(terminal=False):
    return Console(file=io.StringIO(), width=120, force_terminal=terminal, highlight=False)


@pytest.fixture
def results_and_verdict():
    metric = SliceMetrics("candidate", "click", named("overall"), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100)
    none = SliceMetrics("candidate", "click", named("domain=a"), None, None, None, None, None, 0, 9)
    cross = SliceMetrics(
        "candidate", "click", named("domain=a,gender=f"), 0.7, 0.6, 0.8, 0.5, 1.0, 3, 10
    )
    comparison = Comparison(
        "reference", "click", named("overall"), -1.0, -2.0, 0.5, -0.01, -0.02, 0.005
    )
    results = SliceResults(
        ("candidate", "reference"), ("click",), 0.95, None, [metric, none, cross], [comparison]
    )
    check = Check("relaimp", "click", "overall", False, "click loses")
    return results, Verdict(False, "reference", [check])


def test_a_line_when_a_node_starts_and_when_it_ends():
    console = _console()
    with NodeLines(console) as lines:
        lines.node(NodeRun("Trainer", "running"))
        lines.progress("epoch 1 of at most 3: loss 0.5")
        lines.node(NodeRun("Trainer", "complete", 12.34, 160_000))
    output = console.file.getvalue().splitlines()
    assert output[0].startswith("● Trainer")
    assert "epoch 1 of at most 3" in output[1]
    assert "complete" in output[2] and "12.3 s" in output[2] and "160,000 rows" in output[2]


def test_rows_that_were_left_out_stand_beside_those_that_were_taken():
    console = _console()
    with NodeLines(console) as lines:
        lines.node(NodeRun("LogExampleGen", "complete", 1.0, 4_999, malformed=1))
        lines.node(NodeRun("LogExampleGen", "complete", 1.0, 5_000, malformed=0))
    output = console.file.getvalue().splitlines()
    assert output[0].endswith("4,999 rows, 1 malformed left out")
    assert output[1].endswith("5,000 rows")


def test_live_line_in_a_terminal_shows_progress():
    console = _console(terminal=True)
    with NodeLines(console) as lines:
        lines.node(NodeRun("Trainer", "running"))
        lines.progress("epoch 1")
        assert "epoch 1" in lines.at_work().plain
        lines.node(NodeRun("Trainer", "failed", 1.0))
        assert lines.at_work().plain == ""
    assert "failed" in console.file.getvalue()


def test_two_running_nodes_have_a_line_each_until_they_end():
    console = _console(terminal=True)
    with NodeLines(console) as lines:
        lines.node(NodeRun("ReferenceTrainer", "running"))
        lines.node(NodeRun("Trainer", "running"))
        lines.progress("ReferenceTrainer: epoch 1")
        first, second = lines.at_work().plain.splitlines()
        assert first.startswith("● ReferenceTrainer") and second.startswith("● Trainer")
        assert second.endswith("ReferenceTrainer: epoch 1")
        lines.node(NodeRun("ReferenceTrainer", "complete", 1.0))
        (left,) = lines.at_work().plain.splitlines()
        assert left.startswith("● Trainer")
        lines.node(NodeRun("Trainer", "complete", 1.0))
        assert lines.at_work().plain == ""


def test_nodes_that_ran_at_once_are_not_counted_twice(results_and_verdict):
    results, verdict = results_and_verdict
    nodes = [NodeRun("ReferenceTrainer", "complete", 6.0), NodeRun("Trainer", "complete", 8.0)]
    for seconds, said in ((None, "2 nodes in 14 s"), (9.0, "2 nodes in 9 s")):
        console = _console()
        result = RunResult("1", nodes, False, None, Path("/runs/1"), seconds=seconds)
        print_summary(console, result, verdict, results)
        assert said in console.file.getvalue()


def test_summary_has_verdict_reasons_table_and_report(results_and_verdict):
    results, verdict = results_and_verdict
    console = _console()
    node = NodeRun("Trainer", "complete", 2.0)
    print_summary(console, RunResult("1", [node], False, None, Path("/runs/1")), verdict, results)
    output = console.file.getvalue()
    assert "NOT BLESSED" in output
    assert "click loses" in output
    assert "0.7000  -1.00 [-2.00, +0.50]" in output
    assert "undefined" in output
    assert "gender=f" not in output
    assert "Report: /runs/1/report.html" in output


def test_summary_says_what_checks_decided_together(results_and_verdict):
    results, verdict = results_and_verdict
    family = FamilyDecision(0.05, 15, 0, 2)
    console = _console()
    print_summary(
        console, RunResult("1", [], False, None, Path("/runs/1")),
        dataclasses.replace(verdict, family=family), results,
    )  # fmt: skip
    lines = console.file.getvalue().splitlines()
    assert lines.index(family.words) == lines.index("NOT BLESSED: the candidate stays back") - 1
    assert "2 more would by themselves." in family.words


def test_summary_names_the_kept_epochs_and_each_warning_once(results_and_verdict, tmp_path):
    results, verdict = results_and_verdict
    nodes = []
    for node_id, kept in (("ReferenceTrainer", "Epoch 3 of 4 is kept."), ("Trainer", "Epoch 2.")):
        folder = tmp_path / node_id
        folder.mkdir()
        record = {"epochs": [], "kept": kept, "warnings": ["Task 'buy' has too few rows."]}
        (folder / "history.json").write_text(json.dumps(record))
        nodes.append(NodeRun(node_id, "cached", outputs={"model_run": [str(folder)]}))
    nodes.append(NodeRun("Old", "cached", outputs={"model_run": [str(tmp_path / "absent")]}))
    console = _console()
    print_summary(console, RunResult("1", nodes, False, None, Path("/runs/1")), verdict, results)
    lines = console.file.getvalue().splitlines()
    at = lines.index("ReferenceTrainer: Epoch 3 of 4 is kept.")
    assert lines[at + 1 : at + 3] == ["Trainer: Epoch 2.", "! Task 'buy' has too few rows."]
    assert lines[-1].startswith("Report: ")


def test_folders_and_sentences_with_brackets_stand_as_they_are(results_and_verdict, tmp_path):
    results, verdict = results_and_verdict
    (tmp_path / "history.json").write_text(json.dumps({"epochs": [], "kept": "Of [/x] and [b]."}))
    node = NodeRun("Trainer", "complete", 1.0, outputs={"model_run": [str(tmp_path)]})
    result = RunResult("1", [node], True, "/serving[new]/7", Path("/runs[/old]/1"))
    console = _console()
    print_summary(console, result, Verdict(True, "reference", []), results)
    lines = console.file.getvalue().splitlines()
    assert "Pushed to /serving[new]/7" in lines
    assert "Trainer: Of [/x] and [b]." in lines
    assert lines[-1] == "Report: /runs[/old]/1/report.html"
    assert "BLESSED: the candidate passed the gate" in lines


def test_a_run_of_the_stock_evaluator_has_a_summary_without_tables(results_and_verdict):
    _, verdict = results_and_verdict
    console = _console()
    print_summary(console, RunResult("1", [], False, None, Path("/runs/1")), verdict, None)
    text = console.file.getvalue()
    assert "click loses" in text and "0 nodes in 0 s" in text and "│" not in text


def _served(blessed):
    findings = [
        ServingFinding("process", True, "it loads"),
        ServingFinding("predictions", blessed, "serving_columns [gives] 0.3"),
    ]
    return ServingOutcome(blessed, True, findings)


@pytest.mark.parametrize(
    ("passed", "served", "last"),
    [
        (True, None, "BLESSED: the candidate passed the gate"),
        (True, _served(True), "BLESSED: the candidate passed the gate and the serving check"),
        (
            True,
            _served(False),
            "NOT BLESSED: the candidate passed the gate, but cannot be served as it should",
        ),
        (False, ServingOutcome(False, False), "NOT BLESSED: the candidate stays back"),
    ],
)
def test_the_verdict_is_of_gate_and_serving_check(passed, served, last):
    console = _console()
    result = RunResult("1", [], False, None, Path("/runs/1"))
    print_summary(console, result, Verdict(passed, None, []), None, served)
    lines = console.file.getvalue().splitlines()
    assert last in lines
    if served and served.findings:
        assert "✔ serving check: it loads" in lines
        mark = "✔" if served.blessed else "✘"
        assert f"{mark} serving check: serving_columns [gives] 0.3" in lines
