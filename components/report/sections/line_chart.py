"""A small line chart, of epochs or else, as points for an inline SVG."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

__all__ = ["WIDTH", "HEIGHT", "LEFT", "RIGHT", "TOP", "BOTTOM"]

#: Size of the drawing and of its margins, in SVG units.
WIDTH, HEIGHT = 340, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 30


@dataclass(frozen=True)
class Line:
    """One model's values.

    Attributes:
        model: which also chooses colour and dash.
        points: ``(x, y)`` in SVG units.
        best: the point of the epoch whose weights were kept, or None.
    """

    model: str
    points: tuple[tuple[float, float], ...]
    best: tuple[float, float] | None

    @property
    def path(self) -> str:
        """Points as the attribute of a polyline."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


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
    title: str, series: dict[str, list[tuple[int, float]]], best_epochs: dict[str, int]
) -> LineChart | None:
    """Lays a chart out.

    Args:
        title: what is drawn.
        series: by model, pairs of epoch and value.
        best_epochs: by model, the epoch whose weights were kept.

    Returns:
        The chart, or None if there is nothing to draw.
    """
    series = {model: points for model, points in series.items() if points}
    if not series:
        return None
    epochs = [epoch for points in series.values() for epoch, _ in points]
    values = [value for points in series.values() for _, value in points]
    # A flat line gets room as well.
    padding = (max(values) - min(values)) * 0.05 or abs(values[0]) * 0.05 or 0.5
    low, high = min(values) - padding, max(values) + padding
    last = max(max(epochs), 2)

    def place(epoch: float, value: float) -> tuple[float, float]:
        x = LEFT + (epoch - 1) / (last - 1) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return x, y

    lines = tuple(_line(model, points, best_epochs, place) for model, points in series.items())
    y_values = [y for y in MaxNLocator(nbins=4).tick_values(low, high) if low <= y <= high]
    x_values = [
        x for x in MaxNLocator(nbins=6, integer=True).tick_values(1, last) if 1 <= x <= last
    ]
    return LineChart(
        title,
        _describe(title, series),
        lines,
        tuple((place(x, low)[0], f"{x:.0f}") for x in x_values),
        tuple((place(1, y)[1], f"{y:.4g}") for y in y_values),
    )


def _line(
    model: str,
    points: list[tuple[int, float]],
    best_epochs: dict[str, int],
    place: Callable[[float, float], tuple[float, float]],
) -> Line:
    placed = {epoch: place(epoch, value) for epoch, value in points}
    best = best_epochs.get(model)
    return Line(model, tuple(placed.values()), None if best is None else placed.get(best))


def _describe(title: str, series: dict[str, list[tuple[int, float]]]) -> str:
    parts = [
        f"{model} from {points[0][1]:.4g} in epoch {points[0][0]} to {points[-1][1]:.4g} in epoch "
        f"{points[-1][0]}"
        for model, points in series.items()
    ]
    return f"{title} by epoch: {'; '.join(parts)}"
