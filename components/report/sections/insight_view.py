"""Insights as the report shows them: plots laid out as inline SVG, tables as they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from mtlx.components.model_insight.figures import (
    Figure,
    Heading,
    Note,
    Plot,
    Series,
    Table,
)
from mtlx.components.report.sections.line_chart import ticks

#: Size of the drawing and of its margins, in SVG units; without axes there are narrow margins.
WIDTH, HEIGHT = 340, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 34
_NARROW = 8
#: Colours, marks and dashes that series are told apart by; more series begin anew.
_STYLES = 6
#: Marks around a point: sub-paths that are stroked with a broad pen, or filled.
_MARKS = (
    "h0",  # a dot, with round ends of the pen
    "m-2-2h4v4h-4z",
    "m0-2.8l2.6 4.6h-5.2z",
    "m0-3l3 3l-3 3l-3-3z",
    "m-2.8 0h5.6m-2.8-2.8v5.6",
    "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4",
)
#: Mean width of a character, and height, of a text in the drawing.
_LETTER, _LINE = 5.6, 10.0

_PLOTS = "plots"

_Point: TypeAlias = tuple[float, float]
_Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class SeriesView:
    """One series.

    Attributes:
        name: of it.
        style: number of colour, mark and dash; -1 for the background.
        path: its marks, or its line.
        tips: places with the names that show on hovering.
    """

    name: str
    style: int
    path: str
    tips: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class PlotView:
    """A plot.

    Attributes:
        title: what is drawn.
        description: for who cannot see it.
        series: from back to front.
        x_ticks: position and text; none without axes.
        y_ticks: likewise.
        x_title: of the axis.
        y_title: of the axis.
        texts: position, anchor and text of the names beside points.
        lines: whether series are lines.
        box: left, right, top and bottom of what is drawn on.
    """

    title: str
    description: str
    series: tuple[SeriesView, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_title: str
    y_title: str
    texts: tuple[tuple[float, float, str, str], ...]
    lines: bool
    box: _Box


@dataclass(frozen=True)
class FigureGroup:
    """What stands in one row of the page.

    Attributes:
        kind: ``plots``, or that of the figure.
        figure: a table, note or heading; None for plots.
        plots: side by side.
    """

    kind: str
    figure: Table | Note | Heading | None
    plots: list[PlotView] = field(default_factory=list)


def plot_view(plot: Plot) -> PlotView:
    """Lays a plot out."""
    axes = bool(plot.x_title)
    box = (_LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM) if axes else (
        _NARROW, WIDTH - _NARROW, _NARROW, HEIGHT - _NARROW
    )  # fmt: skip
    points = [point for series in plot.series for point in series.points]
    low_x, high_x = _ends([x for x, _ in points])
    low_y, high_y = _ends([y for _, y in points])

    def place(point: _Point) -> _Point:
        x = box[0] + (point[0] - low_x) / (high_x - low_x) * (box[1] - box[0])
        y = box[3] - (point[1] - low_y) / (high_y - low_y) * (box[3] - box[2])
        return x, y

    views, style = [], 0
    for series in plot.series:
        placed = [place(point) for point in series.points]
        views.append(_series(series, -1 if series.faint else style, placed, plot.lines))
        style += not series.faint
    tips = [tip for view in views for tip in view.tips]
    return PlotView(
        plot.title,
        plot.description,
        tuple(views),
        tuple((place((x, low_y))[0], f"{x:.4g}") for x in _ticks(low_x, high_x) if axes),
        tuple((place((low_x, y))[1], f"{y:.4g}") for y in _ticks(low_y, high_y) if axes),
        plot.x_title,
        plot.y_title,
        tuple(_texts(tips, plot.named, box)),
        plot.lines,
        box,
    )


def figure_groups(figures: Sequence[Figure]) -> list[FigureGroup]:
    """Figures in their order, with plots that follow each other side by side."""
    groups: list[FigureGroup] = []
    for figure in figures:
        if not isinstance(figure, Plot):
            groups.append(FigureGroup(figure.kind, figure))
        elif groups and groups[-1].kind == _PLOTS:
            groups[-1].plots.append(plot_view(figure))
        else:
            groups.append(FigureGroup(_PLOTS, None, [plot_view(figure)]))
    return groups


def mark(style: int) -> str:
    """The mark of a style around the place where the pen is."""
    return _MARKS[max(style, 0) % _STYLES]


def _series(series: Series, style: int, placed: list[_Point], lines: bool) -> SeriesView:
    own = style if style < 0 else style % _STYLES
    if lines:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    else:
        path = "".join(f"M{x:.1f} {y:.1f}{mark(style)}" for x, y in placed)
    named = zip(placed, series.labels, strict=False)
    return SeriesView(series.name, own, path, tuple((x, y, label) for (x, y), label in named))


def _ends(values: list[float]) -> tuple[float, float]:
    """Least and largest value, with some room; points that are all alike get room as well."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.05 or abs(low) * 0.05 or 0.5
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    return [value for value in ticks(low, high, 4) if low <= value <= high]


def _texts(
    tips: Sequence[tuple[float, float, str]], named: Sequence[str], box: _Box
) -> list[tuple[float, float, str, str]]:
    """Names beside their points, none over another; one that finds no room shows on hovering."""
    places = {label: (x, y) for x, y, label in tips}
    taken: list[_Box] = []
    texts = []
    for name in named:
        if name not in places:
            continue
        x, y = places[name]
        options = [
            (text_x, text_y, anchor)
            for text_x, text_y, anchor in (
                (x + 7, y + 3.5, "start"),
                (x - 7, y + 3.5, "end"),
                (x, y - 10, "middle"),
                (x, y + 17, "middle"),
                (x + 6, y - 10, "start"),
                (x + 6, y + 17, "start"),
                (x - 6, y - 10, "end"),
                (x - 6, y + 17, "end"),
            )
            if _is_free(_area(text_x, text_y, anchor, name), box, taken)
        ]
        if options:
            # Right beside the point, so that it is no other's, unless it would cover many.
            covered = [_covered(_area(*option, name), tips) for option in options]
            best = options[int(np.argmin(np.array(covered) + 0.75 * np.arange(len(options))))]
            taken.append(_area(*best, name))
            texts.append((*best, name))
    return texts


def _area(x: float, y: float, anchor: str, text: str) -> _Box:
    """Left, right, top and bottom of a text."""
    width = _LETTER * len(text)
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, left + width, y - _LINE, y + 2


def _is_free(area: _Box, box: _Box, taken: Sequence[_Box]) -> bool:
    inside = box[0] <= area[0] and area[1] <= box[1] and box[2] <= area[2] and area[3] <= box[3]
    return inside and not any(_overlap(area, other) for other in taken)


def _covered(area: _Box, tips: Sequence[tuple[float, float, str]]) -> int:
    """Points below a text."""
    return sum(_overlap(area, (x - 2, x + 2, y - 2, y + 2)) for x, y, _ in tips)


def _overlap(one: _Box, other: _Box) -> bool:
    apart = one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
    return not apart
