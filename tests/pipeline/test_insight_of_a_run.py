"""A whole run that looks into its model: cached but for what is new, shown in page and terminal."""

import pytest

from mtlx.components.model_insight.insight_result import ModelInsights
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.terminal.insight_lines import insight_lines

ASKED = "report.insight=[{name: importance, options: {repeats: 2}}, gates, sequences]"


@pytest.fixture(scope="module")
def looked(finished):
    """The finished experiment's next run, with insights, and what a person is told of them."""
    path, _ = finished
    lines = []
    return run_experiment(read_experiment(path, (ASKED,)), on_progress=lines.append), lines


def test_nothing_else_is_done_anew(finished, looked):
    result, _ = looked
    states = {node.node_id: node.state for node in result.nodes}
    assert "ModelInsight" not in {node.node_id for node in finished[1].nodes}
    assert states["ModelInsight"] == states["Report"] == "complete"
    for node in ("Trainer", "SliceEvaluation", "RelaImpGate", "ServingCheck"):
        assert states[node] == "cached"
    order = [node.node_id for node in result.nodes]
    assert order.index("SliceEvaluation") < order.index("ModelInsight") < order.index("Report")


def test_it_looks_at_what_is_evaluated(looked):
    result, lines = looked
    found = ModelInsights.load(result.output("ModelInsight", "insight"))
    importance, gates, sequences = found.insights
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    for task, measured in importance.values["tasks"].items():
        for part, values in measured.items():
            key = () if part == "overall" else (("domain", part),)
            evaluated = results.metric("candidate", task, key)
            assert (values["rows"], values["positives"]) == (
                evaluated.examples,
                evaluated.positives,
            )
            assert values["auc"] == pytest.approx(evaluated.auc, abs=1e-4)
    assert set(importance.values["tasks"]["click"]["overall"]["importance"]) == {
        "age", "gender", "item_id", "category", "brand", "price", "rating", "scenario", "clicked",
    }  # fmt: skip
    assert set(gates.values["tasks"]["click"]["overall"]["weight"]) == {"expert_0", "expert_1"}
    assert set(sequences.values["occurrences"]) == {"item_id in clicked", "category in clicked"}
    rows = results.metric("candidate", "click").examples
    for title in ("Feature importance", "Gates", "Behaviour sequences"):
        assert f"{title}: looking at {rows:,} rows" in lines


def test_page_and_terminal_show_it(finished, looked):
    result, _ = looked
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert 'href="#insight"' in page and "Gate weights of click" in page
    before = (finished[1].folder / "report.html").read_text(encoding="utf-8")
    assert 'id="insight"' not in before
    lines = insight_lines(result.nodes)
    assert len(lines) <= 1 and all(line.startswith("Most important: ") for line in lines)
    assert insight_lines(finished[1].nodes) == []
