"""Further metrics in the terminal: a line per task that has any."""

from mtlx.components.slice_evaluation.results import SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.pipeline.terminal.further_lines import further_lines


def _results(measured, **values):
    metrics = [
        SliceMetrics(
            *("candidate", task, (), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100),
            values={"auc": Estimate(0.7), **own},
        )
        for task, own in values.items()
    ]
    return SliceResults(("candidate",), tuple(values), 0.95, None, metrics, [], measured=measured)


def test_what_has_a_value_is_told_in_the_order_of_the_settings():
    results = _results(
        ("auc", "log_loss", "gauc", "ndcg@10", "mrr"),
        click={
            "gauc": Estimate(0.61234, 0.6, 0.62),
            "ndcg@10": Estimate(0.4, reason="too few requests"),
            "mrr": Estimate(reason="no requests with a positive"),
        },
        buy={"gauc": Estimate(reason="no users with both classes")},
    )
    assert list(further_lines(results)) == ["click: GAUC 0.6123 [0.6000, 0.6200], NDCG@10 0.4000"]


def test_where_nothing_else_was_measured_nothing_is_told():
    assert list(further_lines(_results(("auc", "log_loss", "calibration"), click={}))) == []
