"""A task's ROC as a chart, beside the diagonal that chance gives."""

from mtlx.components.report.sections.line_chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    LineChart,
)
from mtlx.components.slice_evaluation.statistics.roc_curve import RocCurve
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def roc_chart(task: str, curve: RocCurve) -> LineChart:
    """Lays the chart out.

    Args:
        task: its name.
        curve: of the candidate over all rows.
    """
    points = list(zip(curve.false_positive_rate, curve.recall, strict=True))
    middle = max(recall for rate, recall in points if rate <= 0.1)
    return LineChart(
        f"ROC, {task}",
        f"ROC of {task}: at a false positive rate of 0.1, the recall is {middle:.2f}",
        (
            Line("chance", (_place(0, 0), _place(1, 1)), None),
            Line(CANDIDATE, tuple(_place(x, y) for x, y in points), None),
        ),
        tuple((_place(x, 0)[0], f"{x:g}") for x in _TICKS),
        tuple((_place(0, y)[1], f"{y:g}") for y in _TICKS),
        x_title="false positive rate",
        dots=False,
    )


def _place(x: float, y: float) -> tuple[float, float]:
    return LEFT + x * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM)
