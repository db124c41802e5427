"""Where points, ticks and names of an insight's plot come to lie."""

import re

from mtlx.components.model_insight.figures import Note, Plot, Series
from mtlx.components.report.sections.insight_view import HEIGHT, WIDTH, figure_groups, plot_view


def _plot(**changed):
    points = [(0.0, 0.0), (10.0, 5.0), (5.0, 2.5)]
    series = [Series(name="one", points=points, labels=["low", "high", "middle"])]
    values = {"title": "t", "description": "d", "series": series, "x_title": "x", "y_title": "y"}
    return Plot(**{**values, **changed})


def _starts(path):
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)", path)]


def test_points_lie_in_proportion_inside_the_axes():
    view = plot_view(_plot())
    low, high, middle = _starts(view.series[0].path)
    assert view.box[0] < low[0] < middle[0] < high[0] < view.box[1]
    assert view.box[2] < high[1] < middle[1] < low[1] < view.box[3]
    assert abs(middle[0] - (low[0] + high[0]) / 2) < 0.11
    assert [text for _, text in view.x_ticks] == ["0", "3", "6", "9"]
    assert all(view.box[2] <= y <= view.box[3] for y, _ in view.y_ticks)


def test_names_keep_out_of_each_others_way():
    points = [(0, 5), (0.1, 5.01), (10, 10), (0, 0)]
    near = [Series(name="n", points=points, labels=["one", "two", "far", "x"])]
    view = plot_view(_plot(series=near, named=["one", "two", "far", "unknown"]))
    assert [text for *_, text in view.texts] == ["one", "two", "far"]
    (one_x, one_y, *_), (two_x, two_y, *_), (far_x, _, anchor, _) = view.texts
    assert abs(one_y - two_y) >= 10 or abs(one_x - two_x) >= 17
    assert anchor == "end" and far_x < WIDTH
    assert [label for _, _, label in view.series[0].tips] == ["one", "two", "far", "x"]


def test_the_background_takes_no_style_and_maps_have_no_axes():
    series = [
        Series(name="back", points=[(0, 0)], faint=True),
        Series(name="first", points=[(1, 1)]),
        Series(name="second", points=[(2, 0)]),
    ]
    view = plot_view(_plot(series=series, x_title="", y_title=""))
    assert [one.style for one in view.series] == [-1, 0, 1]
    assert view.x_ticks == view.y_ticks == ()
    assert view.box[0] < 10 and view.box[3] > HEIGHT - 10
    many = [Series(name=str(n), points=[(n, n)]) for n in range(8)]
    assert [one.style for one in plot_view(_plot(series=many)).series][-2:] == [0, 1]


def test_lines_are_joined_and_a_flat_one_has_room():
    flat = [Series(name="flat", points=[(1.0, 0.5), (2.0, 0.5)])]
    view = plot_view(_plot(series=flat, lines=True))
    first, last = [tuple(map(float, point.split(","))) for point in view.series[0].path.split()]
    assert first[0] < last[0] and first[1] == last[1]
    assert view.box[2] < first[1] < view.box[3]


def test_plots_that_follow_each_other_stand_side_by_side():
    figures = [Note(text="a"), _plot(), _plot(), Note(text="b"), _plot()]
    groups = figure_groups(figures)
    assert [group.kind for group in groups] == ["note", "plots", "note", "plots"]
    assert [len(group.plots) for group in groups] == [0, 2, 0, 1]
