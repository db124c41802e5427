"""A comparison as one HTML page: what is decided, differences as a plot, and all numbers."""

import datetime
from dataclasses import dataclass

from mtlx.components.report.page_environment import page_environment
from mtlx.components.slice_evaluation.metrics.metric_names import metric_title
from mtlx.pipeline.compare.comparison_record import OVERALL, ComparisonRecord, Difference
from mtlx.pipeline.compare.comparison_table import spread
from mtlx.pipeline.compare.ranking import Rank, ranks, sentences

#: Of the plot of differences, in its own units.
WIDTH, ROW, LEFT, RIGHT = 640, 24, 150, 16


@dataclass(frozen=True)
class Mark:
    """A model in the plot of differences to the reference.

    Attributes:
        label: of the model.
        y: of its line.
        value: x of the difference.
        lower: x of its interval's end; None where it has none.
        upper: likewise.
        verdict: what is decided, which colours it.
        text: for who cannot see it.
    """

    label: str
    y: float
    value: float
    lower: float | None
    upper: float | None
    verdict: str
    text: str


@dataclass(frozen=True)
class Plot:
    """Differences to the reference in one task, the best first.

    Attributes:
        marks: of the models.
        zero: x of no difference.
        ticks: x and text.
        height: of the whole.
    """

    marks: list[Mark]
    zero: float
    ticks: list[tuple[float, str]]
    height: int


def comparison_page(record: ComparisonRecord) -> str:
    """Renders the page; it refers to nothing outside itself and runs no script.

    Args:
        record: of the comparison.
    """
    order = {task: ranks(record, task) for task in record.tasks}
    return (
        page_environment("mtlx.pipeline.compare")
        .get_template("comparison.html")
        .render(
            record=record,
            created=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            sentences=sentences(record),
            ranks=order,
            plots={task: plot(record, task, own) for task, own in order.items()},
            titles={task: metric_title(metric) for task, metric in record.metrics.items()},
            slices=[one for one in record.slices if one != OVERALL],
            failed=[row for row in record.rows if row.failed],
            spread=spread,
            overall=OVERALL,
            size={"width": WIDTH, "left": LEFT, "right": WIDTH - RIGHT, "row": ROW},
        )
    )


def plot(record: ComparisonRecord, task: str, order: list[Rank]) -> Plot | None:
    """The differences to the reference; None where there are none.

    Args:
        record: of the comparison.
        task: name.
        order: of the task.
    """
    found: list[tuple[Rank, Difference]] = []
    for rank in order:
        over = record.row(rank.label).over_reference.get((task, OVERALL))
        if over is not None and over.value is not None:
            found.append((rank, over))
    if not found:
        return None
    ends = [
        0.0,
        *(x for _, one in found for x in (one.value, one.lower, one.upper) if x is not None),
    ]
    low, high = min(ends), max(ends)
    reach = (high - low) or 1.0

    def x(value: float) -> float:
        return LEFT + (value - low) / reach * (WIDTH - LEFT - RIGHT)

    marks = []
    for place, (rank, one) in enumerate(found):
        verdict = "unclear" if rank.against_reference == "undecided" else rank.against_reference
        assert one.value is not None
        marks.append(
            Mark(
                rank.label,
                ROW * (place + 0.5),
                x(one.value),
                None if one.lower is None else x(one.lower),
                None if one.upper is None else x(one.upper),
                verdict,
                f"{rank.label}: {one.value:+.4f}, {rank.against_reference}",
            )
        )
    ticks = [(x(value), f"{value:+.4f}") for value in (low, high) if value]
    return Plot(marks, x(0.0), [*ticks, (x(0.0), "0")], ROW * len(marks) + 22)
