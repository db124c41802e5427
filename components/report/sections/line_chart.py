"""A small line chart, of epochs or else, as points for an inline SVG."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["WIDTH", "HEIGHT", "LEFT", "RIGHT", "TOP", "BOTTOM", "ticks"]

#: Size of the drawing and of its margins, in SVG units.
WIDTH, HEIGHT = 340, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 30


#: By model, the lower and the upper end of an interval at some x.
Bands: TypeAlias = Mapping[str, Sequence[tuple[int, float, float]]]
_Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One model's values.

    Attributes:
        model: which also chooses colour and dash.
        points: ``(x, y)`` in SVG units.
        best: the point of the epoch whose weights were kept, or None.
        band: corners of the area between the ends of the values' intervals; empty without any.
    """

    model: str
    points: tuple[_Point, ...]
    best: _Point | None
    band: tuple[_Point, ...] = ()

    @property
    def path(self) -> str:
        """Points as the attribute of a polyline."""
        return _attribute(self.points)

    @property
    def area(self) -> str:
        """The band as the attribute of a polygon."""
        return _attribute(self.band)


@dataclass(frozen=True)
class LineChart:
    """A chart.

    Attributes:
        title: what is drawn.
        description: the same in a sentence with first and last values, for who cannot see it.
        lines: one per model.
        x_ticks: position and text.
        y_ticks: position and text.
        x_title: what the horizontal axis counts.
        dots: whether every point is marked.
    """

    title: str
    description: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_title: str = "epoch"
    dots: bool = True


def line_chart(
    title: str,
    series: Mapping[str, Sequence[tuple[int, float]]],
    best_epochs: Mapping[str, int],
    *,
    bands: Bands | None = None,
    x_title: str = "epoch",
    x_texts: Sequence[str] | None = None,
    dots: bool = True,
) -> LineChart | None:
    """Lays a chart out.

    Args:
        title: what is drawn.
        series: by model, pairs of epoch and value.
        best_epochs: by model, the epoch whose weights were kept.
        bands: intervals of the values, where there are any.
        x_title: what the horizontal axis counts.
        x_texts: what stands below 1, 2, 3 ...; the numbers if None.
        dots: whether every point is marked.

    Returns:
        The chart, or None if there is nothing to draw.
    """
    series = {model: points for model, points in series.items() if points}
    if not series:
        return None
    bands = bands or {}
    epochs = [epoch for points in series.values() for epoch, _ in points]
    values = [value for points in series.values() for _, value in points]
    values += [end for points in bands.values() for _, *ends in points for end in ends]
    # A flat line gets room as well.
    padding = (max(values) - min(values)) * 0.05 or abs(values[0]) * 0.05 or 0.5
    low, high = min(values) - padding, max(values) + padding
    last = max(max(epochs), 2)

    def place(epoch: float, value: float) -> _Point:
        x = LEFT + (epoch - 1) / (last - 1) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return x, y

    def called(epoch: int) -> str:
        return x_texts[epoch - 1] if x_texts and epoch <= len(x_texts) else f"{epoch:.0f}"

    lines = tuple(
        _line(model, points, best_epochs, bands.get(model, ()), place)
        for model, points in series.items()
    )
    y_values = [y for y in ticks(low, high, 4) if low <= y <= high]
    # A date takes the room of two numbers.
    most = 3 if x_texts else 6
    x_values = [
        round(x)
        for x in ticks(1, last, most, whole=True)
        if 1 <= x <= (len(x_texts) if x_texts else last)
    ]
    return LineChart(
        title,
        _describe(title, series, x_title, called),
        lines,
        tuple((place(x, low)[0], called(x)) for x in x_values),
        tuple((place(1, y)[1], f"{y:.4g}") for y in y_values),
        x_title,
        dots,
    )


def _line(
    model: str,
    points: Sequence[tuple[int, float]],
    best_epochs: Mapping[str, int],
    band: Sequence[tuple[int, float, float]],
    place: Callable[[float, float], _Point],
) -> Line:
    placed = {epoch: place(epoch, value) for epoch, value in points}
    best = best_epochs.get(model)
    upper = [place(epoch, high) for epoch, _, high in band]
    lower = [place(epoch, low) for epoch, low, _ in reversed(band)]
    best_point = None if best is None else placed.get(best)
    return Line(model, tuple(placed.values()), best_point, (*upper, *lower))


def _attribute(points: Sequence[_Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _describe(
    title: str,
    series: Mapping[str, Sequence[tuple[int, float]]],
    x_title: str,
    called: Callable[[int], str],
) -> str:
    parts = []
    for model, points in series.items():
        (first, begin), (last, end) = points[0], points[-1]
        # The title names what there is only one of.
        name = f"{model} " if len(series) > 1 or x_title == "epoch" else ""
        text = (
            f"{name}from {begin:.4g} in {x_title} {called(first)} to {end:.4g} in {x_title} "
            f"{called(last)}"
        )
        values = [value for _, value in points]
        if x_title != "epoch" and len(values) > 2:
            text += f", lowest {min(values):.4g}, highest {max(values):.4g}"
        parts.append(text)
    return f"{title} by {x_title}: {'; '.join(parts)}"


def ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round numbers from about one end of an axis to the other.

    Args:
        low: the least number shown.
        high: the largest.
        most: steps between them.
        whole: whether they are whole numbers.

    Returns:
        Rising; the first and the last may lie outside.
    """
    # A run that is served from its cache draws nothing.
    from matplotlib.ticker import MaxNLocator

    found: list[float] = MaxNLocator(nbins=most, integer=whole).tick_values(low, high).tolist()
    return found
