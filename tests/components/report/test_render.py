"""The page as text: what it says, in which order, and that nothing of a user's can break it."""

import dataclasses
import html
import re

import pytest

from mtlx.components.anomaly_guard.anomalies import Anomaly
from mtlx.components.relaimp_gate.verdict import Check, FamilyDecision, ModelLineage, Verdict
from mtlx.components.report.render import render, render_heat_map
from mtlx.components.report.report_data import ReportData, Training
from mtlx.components.report.sections.heat_map import heat_map
from mtlx.components.report.sections.line_chart import line_chart
from mtlx.components.report.sections.roc_chart import roc_chart
from mtlx.components.report.sections.slice_groups import slice_groups
from mtlx.components.serving_check.serving_outcome import Latency, ServingFinding, ServingOutcome
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from tests.components.slice_names import named


def test_the_verdict_comes_first_with_what_blocks(report_data):
    page = render(report_data)
    assert "<title>default: not blessed</title>" in page
    failed = [check for check in report_data.verdict.checks if not check.passed]
    assert [(check.task, check.slice) for check in failed] == [("click", "domain=product_page")]
    places = [page.index(text) for text in (
        "Not blessed", "1 of 18 checks holds the candidate back", "✘ blocks", "✔ met",
        'id="relaimp"', 'id="metrics"', 'id="best"', 'id="training"', 'id="data"',
    )]  # fmt: skip
    assert places == sorted(places)


def _served(blessed):
    findings = [
        ServingFinding("process", True, "it loads"),
        ServingFinding("predictions", blessed, "serving_columns <differs> in 3 rows"),
    ]
    return ServingOutcome(blessed, True, findings, [Latency(100, 2.5, 4.0, 1.25, 3.0)], 7.0, 4)


def test_a_model_that_cannot_be_served_is_not_blessed_whatever_the_gate_says(report_data):
    let_through = dataclasses.replace(report_data.verdict, blessed=True)
    page = render(dataclasses.replace(report_data, verdict=let_through, served=_served(False)))
    assert "<title>default: not blessed</title>" in page
    assert "It passed the gate, but cannot be served as it should, and is not pushed:" in page
    assert page.count("serving_columns &lt;differs&gt; in 3 rows") == 2
    page = render(dataclasses.replace(report_data, verdict=let_through, served=_served(True)))
    assert "<title>default: blessed</title>" in page and "cannot be served" not in page
    words = " ".join(re.sub("<[^>]*>", " ", page[page.index('id="serving-check"') :]).split())
    assert "in 7.0 s; it holds 4 warm-up requests" in words
    assert "Served model, p99 100 2.5 4 1.25 3" in words


def test_what_the_best_possible_does_not_know_either_is_named(report_data):
    words = "Theirs are those of who does not know <code>position</code>, as the model"
    assert words in render(dataclasses.replace(report_data, best_without=("position",)))
    assert "who does not know" not in render(report_data)


def test_a_model_that_the_gate_holds_back_was_not_served(report_data):
    page = render(dataclasses.replace(report_data, served=ServingOutcome(False, False)))
    assert "The gate holds the candidate back, so it was not served on trial." in page
    assert 'id="serving-check"' not in render(report_data)


def test_a_page_without_anything_says_so():
    page = render(ReportData("empty", None, "today"))
    for text in ("No gate decided", "No trainer left", "left no summary", "Nobody looked",
                 "No statistics were computed"):  # fmt: skip
        assert text in page
    assert 'id="relaimp"' not in page and 'id="metrics"' not in page


def test_rows_read_are_those_taken_over_and_those_left_out(report_data):
    lines = {"read": 460_020, "header": 2, "blank": 3}
    summary = {**report_data.ingestion, "lines": lines}
    page = " ".join(render(dataclasses.replace(report_data, ingestion=summary)).split())
    assert "460,015 rows were read: 460,000 were taken over, 15 (&lt;0.1 %) are malformed" in page
    assert "The files hold 460,020 lines, of which 2 header lines, 3 blank." in page
    whole = {**report_data.ingestion, "malformed": {}}
    page = render(dataclasses.replace(report_data, ingestion=whole))
    assert "460,000 rows were read, all of them were taken over." in page


def test_what_the_training_method_did_besides_is_shown(report_data):
    candidate, reference = report_data.trainings
    history = {**candidate.history, "notes": ["Task click no longer reads click/<gdcn>."]}
    trainings = (Training("candidate", history), reference)
    page = render(dataclasses.replace(report_data, trainings=trainings))
    assert "<p>Candidate: Task click no longer reads click/&lt;gdcn&gt;.</p>" in page


def _texts(row):
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in row.split("</t")][:-1]


def test_the_kept_epoch_is_named_with_what_chose_it_and_what_to_mind(report_data):
    page = render(report_data)
    assert "<p>Candidate: Epoch 6 of 8 is kept: normalised entropy 0.90000 on" in page
    assert page.count("epoch 6 of 8 kept by normalised entropy") == 2, "among the run's facts"
    assert "Task &#39;purchase&#39; has too few validation rows &lt;12&gt;." in page
    table = page[page.index("Epochs of the candidate on") :]
    head, *rows = (part.split("</tr>")[0] for part in table[: table.index("</table>")].split("<tr"))
    rows = dict(zip(range(9), map(_texts, rows), strict=True))
    task = report_data.results.tasks[0]
    assert [text[text.rindex(">") + 1 :] for text in rows[0][:4]] == [
        "Epoch", "Training loss", "Normalised entropy", f"{task}, AUC"
    ]  # fmt: skip
    record = report_data.trainings[0].history["epochs"][5]
    assert [text[text.rindex(">") + 1 :] for text in rows[6][:5]] == [
        "6 (kept)", f"{record['loss']:.4f}", "0.90000",
        f"{record['validation_auc'][task]:.4f}", "0.4000",
    ]  # fmt: skip
    assert page.count("(kept)") == 2  # of candidate and reference
    many = {**report_data.trainings[0].history}
    many["epochs"] = [{**record, "epoch": epoch} for epoch in range(1, 14)]
    page = render(dataclasses.replace(report_data, trainings=(Training("candidate", many),)))
    assert "<summary>All 13 epochs of the candidate</summary>" in page


def test_a_first_run_has_no_comparison(report_data):
    own = report_data.results
    results = dataclasses.replace(
        own,
        models=("candidate",),
        metrics=[metric for metric in own.metrics if metric.model == "candidate"],
        comparisons=[],
    )
    checks = [
        Check("relaimp", "click", "overall", True, "not applicable: first run", applicable=False),
        Check("auc", "click", "overall", True, "fine", 0.71, 0.7, 0.72, "lower bound at least 0.6"),
    ]
    page = render(
        dataclasses.replace(report_data, results=results, verdict=Verdict(True, None, checks))
    )
    assert "The one check that applies is met; 1 did not apply" in page
    assert "There was no model to compare with" in page
    assert "does not apply" in page and 'id="relaimp"' not in page


def test_what_checks_decided_together_is_said_in_a_line_and_beside_each(report_data):
    check = Check(
        "relaimp", "click", "overall", True, "lifted", -1.0, -2.0, -0.1,
        "upper bound at least +0.00 %", errs_by="blocking", p_value=0.012, adjusted_p_value=0.18,
    )  # fmt: skip
    alone = dataclasses.replace(check, task="cart", p_value=0.00003, adjusted_p_value=None)
    far = dataclasses.replace(check, task="cart", p_value=0.6, adjusted_p_value=1.0)
    family = FamilyDecision(0.05, 15, 0, 1)
    verdict = Verdict(True, "baseline", [check, alone, far], family=family)
    text = html.unescape(render(dataclasses.replace(report_data, verdict=verdict)))
    assert family.words.replace(" %", "\N{NO-BREAK SPACE}%") in text
    assert "p 0.012 alone, 0.18 among 15 checks<" in text and "p <0.0001<" in text
    assert "p 0.6<" in text
    assert "proven loss" not in render(report_data)


def test_which_rows_each_model_has_seen_is_shown(report_data):
    lineage = [
        ModelLineage("candidate", "span 3", "80 train", "20 test", "none"),
        ModelLineage("baseline", "span 2", "70 train", "30 test", "5 of 20", leaks=True),
    ]
    verdict = dataclasses.replace(report_data.verdict, lineage=lineage)
    page = render(dataclasses.replace(report_data, verdict=verdict))
    assert "Which rows each model has seen" in page and "<td>span 2</td>" in page
    assert page.count("counts in its favour") == 1
    assert "Which rows each model" not in render(report_data)


def test_text_from_the_data_is_escaped(report_data):
    evil = "<script>alert(1)</script>"
    anomaly = Anomaly("test", evil, evil, evil, "ERROR")
    data = dataclasses.replace(
        report_data,
        title=evil,
        anomalies=(anomaly,),
        ingestion={**report_data.ingestion, "malformed": {evil: 1}},
        notices=(evil,),
    )
    assert "<script" not in render(data)


def _metric(task, name, positives, examples, auc=0.7, undefined=0, model="candidate"):
    key = named(name)
    return SliceMetrics(model, task, key, auc, None, None, 0.5, 1.0, positives, examples, undefined)


def _results(metrics, comparisons=()):
    models = tuple(dict.fromkeys(metric.model for metric in metrics))
    return SliceResults(models, ("click",), 0.95, None, metrics, list(comparisons))


def test_undefined_values_say_why():
    results = _results([
        _metric("click", "overall", 0, 17, auc=None),
        _metric("click", "domain=a", 5, 9, auc=None, undefined=2),
        _metric("click", "overall", 0, 17, auc=None, model="baseline"),
    ], [Comparison("baseline", "click", named("overall"), *(None,) * 6)])  # fmt: skip
    page = render(ReportData("t", None, "", results=results))
    assert "undefined (0 positives of 17)" in page
    assert "undefined (2 predictions are no numbers)" in page
    assert "not measured" in page


def test_reasons_stand_where_numbers_are_missing():
    def metric(name, model="candidate", reason=None, auc=0.7, examples=17):
        return SliceMetrics(
            model, "click", named(name), auc, None, None, 0.5, None, 0 if auc is None else 9, examples,
            auc_reason=reason,
        )  # fmt: skip

    few = "too few values of user_id (the rows of 1 weigh as 1.0 of one size, 6 are needed)"
    chance = "the AUC to improve on, 0.5012, is not clearly above 0.5"
    nothing = (None,) * 3
    metrics = [
        metric(name, model, reason, auc)
        for name, reason, auc in (
            ("overall", None, 0.7), ("domain=one class", "0 positives of 17", None),
            ("domain=one user", few, 0.7), ("domain=(missing)", None, 0.7),
        )
        for model in ("candidate", "baseline")
    ]  # fmt: skip
    metrics += [
        metric("domain=no rows", model, auc=None, examples=0) for model in ("candidate", "baseline")
    ]
    comparisons = [
        Comparison("baseline", "click", named("overall"), *nothing, *nothing, relaimp_reason=chance),
        Comparison("baseline", "click", named("domain=one class"), *nothing, *nothing,
                   relaimp_reason="the candidate has no AUC here: 0 positives of 17"),
        Comparison("baseline", "click", named("domain=one user"), 3.0, None, None, *nothing,
                   relaimp_reason=few),
        Comparison("baseline", "click", named("domain=(missing)"), 3.0, 1.0, 5.0, *nothing),
    ]  # fmt: skip
    results = _results(metrics, comparisons)
    for page in (render(ReportData("t", None, "", results=results)), render_heat_map(results, "t")):
        text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
        for wanted in (
            f"overall undefined ({chance})", "one class undefined (the candidate has no AUC here",
            f"one user +3.00 no interval: {few}", "(missing) +3.00 +1.00 to +5.00",
            "no rows no rows", "undefined (0 positives of 17)", f"0.7000 no interval: {few}",
        ):  # fmt: skip
            assert wanted in text, wanted
        assert "None" not in text and "nan" not in text


@pytest.mark.parametrize(
    ("interval", "state"),
    [
        ((2.0, 0.1, 3.9), "gain"), ((-2.0, -3.9, -0.1), "loss"), ((2.0, -0.1, 4.1), "unclear"),
        ((2.0, None, None), "unclear"), ((None, None, None), "undefined"),
    ],
)  # fmt: skip
def test_heat_map_colours_only_what_is_clear(interval, state):
    metrics = [_metric("click", "overall", 5, 17), _metric("click", "domain=a", 5, 17)]
    comparisons = [
        Comparison("baseline", "click", named("overall"), *interval, None, None, None),
        Comparison("baseline", "click", named("domain=a"), 4.0, 3.0, 5.0, None, None, None),
    ]
    found = heat_map(_results(metrics, comparisons), "baseline")
    cell = found.cells["click", ()]
    assert (found.scale, cell.state) == (4.0, state)
    assert cell.size == (0.5 if state in ("gain", "loss") else 0.0)


def test_crosses_are_closed_sorted_by_size_and_cut():
    comma = (("domain", "a"), ("city", "y, z"))
    sizes = {"overall": 60, "domain=b": 20, "domain=a": 40}
    sizes |= {"domain=a,city=x": 3, comma: 30, "domain=b,city=x": 9}
    results = _results([_metric("click", name, 1, size) for name, size in sizes.items()])
    overall, domains, crosses = slice_groups(results, 2)
    assert (overall.slices, overall.title, overall.closed) == (((),), "", False)
    assert (domains.slices, domains.title) == ((named("domain=b"), named("domain=a")), "by domain")
    assert crosses.slices == (comma, named("domain=b,city=x"))
    assert (crosses.title, crosses.closed, crosses.hidden) == ("by domain and city", True, 1)
    assert crosses.labels[comma] == 'a, "y, z"'
    page = render(ReportData("t", None, "", results=results, max_cross_slices_shown=2))
    assert "2 slices of 3, the largest" in page and "1 smaller slice is in" in page


def test_roc_is_drawn_from_corner_to_corner_beside_chance(report_data):
    page = render(report_data)
    assert "ROC, click" in page
    assert "false positive rate of 0.1, the recall is 0.40" in page
    (chart,) = [roc_chart(task, curve) for task, curve in report_data.rocs.items()]
    chance, curve = chart.lines
    assert chance.points[0] == curve.points[0] and chance.points[-1] == curve.points[-1]
    assert not chart.dots
    without = render(dataclasses.replace(report_data, rocs={}))
    assert "ROC" not in without


def test_line_chart_places_values_inside_and_survives_flat_and_short_lines():
    chart = line_chart("Loss", {"candidate": [(1, 2.0), (2, 1.0), (3, 1.5)]}, {"candidate": 2})
    (line,) = chart.lines
    assert line.best == line.points[1]
    assert line.points[1][1] > line.points[2][1] > line.points[0][1]  # SVG grows downwards.
    assert all(0 <= x <= 340 and 0 <= y <= 210 for x, y in line.points)
    assert "candidate from 2 in epoch 1 to 1.5 in epoch 3" in chart.description
    assert line_chart("AUC", {"candidate": [(1, 0.0)]}, {}).lines[0].best is None
    assert line_chart("AUC", {"candidate": []}, {}) is None


def test_an_epoch_without_a_validation_auc_leaves_a_gap():
    epochs = [
        {"epoch": 1, "loss": 1.0, "validation_auc": {"click": None}},
        {"epoch": 2, "loss": 0.9, "validation_auc": {"click": 0.6}},
    ]
    history = {"epochs": epochs, "best_epoch": 2, "parameters": 7, "devices": [], "seconds": {}}
    page = render(ReportData("t", None, "", trainings=(Training("candidate", history),)))
    assert "Validation AUC, click by epoch: candidate from 0.6 in epoch 2" in page


def test_the_report_says_what_a_training_computed_in_where_its_record_does():
    history = {"epochs": [], "best_epoch": 0, "parameters": 7, "devices": ["CPU:0"], "seconds": {}}
    pages = [
        render(ReportData("t", None, "", trainings=(Training("candidate", {**history, **more}),)))
        for more in ({"precision": "bfloat16"}, {"precision": ""}, {})
    ]
    assert ["on CPU:0 in bfloat16" in page for page in pages] == [True, False, False]
