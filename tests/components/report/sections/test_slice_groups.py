"""Slices in groups, cells in colours and values in charts, without a page around them."""

import pytest

from mtlx.components.report.sections.heat_map import heat_map
from mtlx.components.report.sections.line_chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    line_chart,
)
from mtlx.components.report.sections.roc_chart import roc_chart
from mtlx.components.report.sections.slice_groups import slice_groups
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.roc_curve import RocCurve
from tests.components.slice_names import ODD_VALUES


def _metric(key, examples=10, model="candidate", task="click"):
    return SliceMetrics(model, task, key, 0.7, 0.6, 0.8, 0.5, 1.0, 3, examples)


def _results(metrics, comparisons=(), tasks=("click",)):
    models = tuple(dict.fromkeys(metric.model for metric in metrics))
    return SliceResults(models, tasks, 0.95, None, metrics, list(comparisons))


def test_every_slice_is_in_one_group_under_a_label_of_its_own():
    keys = [(), *((("city", value),) for value in ODD_VALUES)]
    overall, cities = slice_groups(_results([_metric(key) for key in keys]), 1000)
    assert overall.labels == {(): "overall"}
    assert set(cities.slices) == set(keys[1:]) and cities.hidden == 0
    assert len(set(cities.labels.values())) == len(ODD_VALUES)
    assert not any("\n" in label for label in cities.labels.values())


@pytest.mark.parametrize(("count", "closed"), [(12, False), (13, True)])
def test_a_feature_with_many_values_is_closed_and_stands_by_size(count, closed):
    sizes = {(("city", f"c{number}"),): number for number in range(count)}
    (group,) = slice_groups(_results([_metric(key, size) for key, size in sizes.items()]), 5)
    assert group.closed is closed
    expected = sorted(sizes, key=sizes.get, reverse=True)[:5] if closed else list(sizes)
    assert list(group.slices) == expected and group.hidden == count - len(expected)


def test_a_slice_is_as_large_as_its_largest_population():
    """A task on few rows must not make a slice small."""
    small, large = (("a", "1"), ("b", "1")), (("a", "2"), ("b", "1"))
    metrics = [_metric(small, 50), _metric(large, 90), _metric(large, 3, task="buy")]
    (group,) = slice_groups(_results(metrics, tasks=("click", "buy")), 10)
    assert group.slices == (large, small)


def _comparison(key, relaimp, lower=None, upper=None, baseline="baseline"):
    return Comparison(baseline, "click", key, relaimp, lower, upper, None, None, None)


def test_a_change_that_is_not_clear_has_no_colour_and_sets_no_scale():
    key = (("city", "a"),)
    results = _results(
        [_metric(()), _metric(key)],
        [_comparison((), -2.0, -3.0, -1.0), _comparison(key, 40.0, -5.0, 85.0),
         _comparison((), 9.0, 8.0, 10.0, "reference")],
    )  # fmt: skip
    found = heat_map(results, "baseline")
    assert found.scale == 2.0
    assert (found.cells["click", ()].state, found.cells["click", ()].size) == ("loss", 1.0)
    assert (found.cells["click", key].state, found.cells["click", key].size) == ("unclear", 0.0)
    assert heat_map(results, "reference").cells["click", key].state == "undefined"


def test_a_slice_without_rows_is_absent():
    empty = (("city", "b"),)
    results = _results([_metric(()), _metric(empty, 0)], [_comparison(empty, 5.0, 4.0, 6.0)])
    found = heat_map(results, "baseline")
    assert found.cells["click", empty].state == "absent"
    assert found.cells["click", empty].size == 0.0


def test_nothing_clear_has_a_scale_all_the_same():
    assert heat_map(_results([_metric(())]), "baseline").scale == 1.0


def test_the_largest_value_is_at_the_top_and_epochs_go_from_left_to_right():
    chart = line_chart("AUC", {"a": [(1, 0.5), (3, 0.9), (5, 0.7)]}, {"a": 3})
    (line,) = chart.lines
    xs, ys = zip(*line.points, strict=True)
    assert (xs[0], xs[-1]) == (LEFT, WIDTH - RIGHT) and xs[1] == sum(xs[::2]) / 2
    assert TOP < min(ys) == ys[1] and max(ys) == ys[0] < HEIGHT - BOTTOM
    assert line.best == line.points[1]
    assert line.path.split()[0] == f"{xs[0]:.1f},{ys[0]:.1f}"
    # Ticks stand where the values do.
    for y, text in chart.y_ticks:
        assert y == pytest.approx(ys[0] + (float(text) - 0.5) / 0.4 * (ys[1] - ys[0]))
    assert len(chart.y_ticks) >= 2


def test_two_models_share_one_scale():
    chart = line_chart("Loss", {"a": [(1, 2.0)], "b": [(1, 2.0), (2, 1.0)], "c": []}, {})
    one, other = chart.lines
    assert one.points[0] == other.points[0] and one.best is None


def test_a_kept_epoch_without_a_value_has_no_mark():
    chart = line_chart("AUC", {"a": [(1, 0.5), (2, 0.6)]}, {"a": 3})
    assert chart.lines[0].best is None


@pytest.mark.parametrize("values", [(0.0, 0.0), (-3.0, -3.0), (1e-12, 2e-12), (1e9, 1e9)])
def test_flat_lines_of_any_size_are_inside(values):
    chart = line_chart("Loss", {"a": list(enumerate(values, start=1))}, {})
    assert all(TOP <= y <= HEIGHT - BOTTOM for _, y in chart.lines[0].points)
    assert chart.y_ticks


def test_a_roc_is_told_by_the_recall_at_a_tenth_of_false_alarms():
    curve = RocCurve([0.0, 0.02, 0.1, 0.1, 1.0], [0.0, 0.3, 0.5, 0.625, 1.0], [2.0] * 5, False)
    chart = roc_chart("buy", curve)
    assert chart.title == "ROC, buy" and chart.description.endswith("the recall is 0.62")
    chance, own = chart.lines
    assert chance.points == (own.points[0], own.points[-1])
    # Above chance in the drawing, which grows downwards.
    assert own.points[1][1] < HEIGHT - BOTTOM - 0.02 * (HEIGHT - TOP - BOTTOM)
