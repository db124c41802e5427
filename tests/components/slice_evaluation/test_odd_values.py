"""Slices of values with any characters, from the evaluation to the verdict and the report."""

import html
import re
from collections import Counter

import numpy as np
import pytest

from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.report.render import render, render_heat_map
from mtlx.components.report.report_data import ReportData
from mtlx.components.slice_evaluation.results import load_results
from mtlx.components.slice_evaluation.slices import shown_value, slice_text
from tests.components.slice_names import ODD_VALUES


@pytest.fixture(scope="module")
def odd(evaluate, models, request, tmp_path_factory):
    """Rows, and the evaluation by value and by value within a domain."""
    helpers = next(
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if hasattr(plugin, "make_rows") and hasattr(plugin, "LogisticModel")
    )
    rows = helpers.make_rows(20 * len(ODD_VALUES), seed=8)
    drawn = np.random.default_rng(2)
    for row in rows:
        row["gender"] = str(drawn.choice(np.array(ODD_VALUES, object)))
    uri = helpers.write_examples(tmp_path_factory.mktemp("odd") / "examples", rows)
    settings = {"slices": [["gender"], ["domain", "gender"]], "batch_size": 200}
    return rows, load_results(evaluate(uri, settings, **models))


def test_every_value_has_its_own_rows(odd):
    rows, results = odd
    counts = Counter(row["gender"] for row in rows)
    for value in ODD_VALUES:
        found = results.metric("candidate", "ctr", (("gender", shown_value(value)),))
        assert found.examples == counts[value], value
    pairs = Counter((row["scenario"], row["gender"]) for row in rows)
    assert len(results.slices) == 1 + len(counts) + len(pairs)


def test_the_gate_decides_on_every_value(odd, contract):
    _, results = odd
    threshold = {"rule": "auc", "task": "ctr", "minimum": 0.0}
    by_star = {"thresholds": [{**threshold, "slice": {"gender": "*"}}], "minimum_positives": 1}
    checks = judge(results, GateSettings.read(by_star), contract).checks
    wanted = {slice_text((("gender", shown_value(value)),)) for value in ODD_VALUES}
    assert {check.slice for check in checks} == wanted and len(checks) == len(ODD_VALUES)
    assert all(check.value is not None for check in checks)
    for value in ODD_VALUES:
        name = re.sub(r"([*?\\])", r"\\\1", shown_value(value))
        alone = {**by_star, "thresholds": [{**threshold, "slice": {"gender": name}}]}
        (check,) = judge(results, GateSettings.read(alone), contract).checks
        assert check.slice == slice_text((("gender", shown_value(value)),))


def test_the_report_and_the_heat_map_have_a_row_for_every_value(odd):
    _, results = odd
    report = render(ReportData("t", None, "", results=results, max_cross_slices_shown=2000))
    for page in (report, render_heat_map(results, "t", 2000)):
        rows = Counter(
            html.unescape(found) for found in re.findall(r'<th scope="row">([^<]*)</th>', page)
        )
        labels = [
            slice_text((("", shown_value(value)),)).removeprefix('""=') for value in ODD_VALUES
        ]
        assert len(set(labels)) == len(ODD_VALUES)
        times = {rows[label] for label in labels if label != "overall"}
        assert len(times) == 1 and min(times) > 0, "as often as all others, in every table"
