"""A task's reliability curve as a chart, beside the diagonal of perfect calibration."""

from mtlx.components.report.sections.line_chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    LineChart,
    ticks,
)
from mtlx.components.slice_evaluation.metrics.score_bins import ReliabilityCurve
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE


def reliability_chart(task: str, curve: ReliabilityCurve) -> LineChart:
    """Lays the chart out, both axes from 0 to the largest rate or prediction.

    Args:
        task: its name.
        curve: of the candidate over all rows.
    """
    points = list(zip(curve.prediction, curve.rate, strict=True))
    top = max(*curve.prediction, *curve.rate) or 1.0
    places = [value for value in ticks(0.0, top, 4) if 0 <= value <= top]

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + x / top * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM),
        )

    prediction, rate = max(points, key=lambda point: abs(point[0] - point[1]))
    return LineChart(
        f"Reliability, {task}",
        f"Reliability of {task}: furthest off where {prediction:.3g} is predicted on average and "
        f"the rate is {rate:.3g}",
        (
            Line("chance", (place(0, 0), place(top, top)), None),
            Line(CANDIDATE, tuple(place(x, y) for x, y in points), None),
        ),
        tuple((place(value, 0)[0], f"{value:g}") for value in places),
        tuple((place(0, value)[1], f"{value:g}") for value in places),
        x_title="mean prediction",
    )
