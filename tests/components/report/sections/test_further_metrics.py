"""Metrics beside the AUC in the report: folded away, with intervals and differences."""

import dataclasses

import pytest

from mtlx.components.report.render import render
from mtlx.components.report.sections.further_metrics import further_metrics
from mtlx.components.report.sections.reliability_chart import reliability_chart
from mtlx.components.slice_evaluation.metrics.score_bins import ReliabilityCurve
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate

MEASURED = ("auc", "log_loss", "calibration", "gauc", "ndcg@10")


@pytest.fixture
def results(report_data):
    """The report's evaluation, with two further metrics."""
    found = report_data.results
    metrics = [
        dataclasses.replace(
            metric,
            values={
                "calibration": Estimate(1.02, 0.95, 1.09),
                "gauc": Estimate(0.6123, 0.6012, 0.6234),
                "ndcg@10": Estimate(reason="no requests with a positive (7 are left out)"),
            },
            left_out={"gauc": 1234, "ndcg@10": 7},
        )
        for metric in found.metrics
    ]
    comparisons = [
        dataclasses.replace(one, differences={"gauc": Estimate(-0.0042, -0.0081, -0.0003)})
        for one in found.comparisons
    ]
    return dataclasses.replace(found, metrics=metrics, comparisons=comparisons, measured=MEASURED)


def test_what_was_chosen_stands_in_its_order_with_its_title(results):
    gauc, ndcg = further_metrics(results)
    assert (gauc.title, gauc.better, ndcg.title) == ("GAUC", "higher", "NDCG@10")
    cell = gauc.cells["click", ()]
    assert cell.own.value == 0.6123 and cell.left_out == 1234
    assert [model for model, _ in cell.differences] == ["baseline", "reference"]


def test_an_evaluation_that_measured_no_other_has_no_table(report_data):
    assert further_metrics(report_data.results) == []
    assert "further metrics" not in render(report_data)


def test_the_page_holds_them_folded_away(report_data, results):
    page = render(dataclasses.replace(report_data, results=results))
    folded = page[page.index("<summary>click: GAUC, NDCG@10 of the candidate</summary>") :]
    folded = folded[: folded.index("</details>")]
    for words in (
        "0.6123", "0.6012 to 0.6234", "−0.0042 to the baseline model (−0.0081 to −0.0003)",
        "1,234 left out", "undefined (no requests with a positive (7 are left out))",
    ):  # fmt: skip
        assert words in folded, words
    # Calibration's interval stands in the table that is open.
    assert "0.950 to 1.090" in page


def test_a_reliability_curve_is_drawn_beside_the_diagonal(report_data):
    curve = ReliabilityCurve([0.02, 0.05, 0.2], [0.03, 0.05, 0.1], [10.0, 10.0, 10.0])
    chart = reliability_chart("click", curve)
    chance, own = chart.lines
    # The furthest bin lies below the diagonal: less happens than is predicted.
    (x, y), right = own.points[-1], chance.points[-1]
    assert x == right[0] and y > right[1]
    assert "where 0.2 is predicted on average and the rate is 0.1" in chart.description
    page = render(dataclasses.replace(report_data, reliability={"click": curve}))
    assert "Reliability, click" in page and "Reliability of the candidate" in page
    assert "Reliability of the candidate" not in render(report_data)
