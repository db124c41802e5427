import re

import pytest

from mtlx.kubeflow.page.declared_outputs import declared_outputs, roc_names

TITLES = {"system.Markdown", "system.HTML", "system.Metrics", "system.ClassificationMetrics"}


@pytest.mark.parametrize("node", ["LogExampleGen", "CsvExampleGen", "Trainer", "Pusher", "Another"])
def test_every_node_has_a_summary(node):
    outputs = declared_outputs(node, ["click"])
    assert outputs["summary"] == "system.Markdown"
    assert set(outputs.values()) <= TITLES


def test_slice_evaluation_has_one_roc_per_task():
    outputs = declared_outputs("SliceEvaluation", ["click", "purchase"])
    assert outputs == {
        "summary": "system.Markdown",
        "metrics": "system.Metrics",
        "heat_map": "system.HTML",
        "roc_click": "system.ClassificationMetrics",
        "roc_purchase": "system.ClassificationMetrics",
    }


def test_names_of_rocs_are_valid_and_unique():
    tasks = ["Add to cart", "add-to-cart", "add_to_cart", "add_to_cart_2", "購入", "%"]
    names = roc_names(tasks)
    assert list(names) == tasks
    assert len(set(names.values())) == len(tasks)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name) for name in names.values())


def test_the_gate_and_the_stock_evaluator_explain_the_verdict():
    assert declared_outputs("RelaImpGate", ["click"])["verdict"] == "system.Markdown"
    stock = declared_outputs("Evaluator", ["click"])
    assert stock["verdict"] == "system.Markdown"
    assert not any(name.startswith("roc") for name in stock)


def test_the_report_is_one_html_page():
    assert declared_outputs("Report", [])["report"] == "system.HTML"
