"""A replay as one HTML page: curves by day, and a table of all days."""

import datetime
from collections.abc import Mapping, Sequence

from mtlx.components.log_example_gen.spans.span_marks import many_words, span_words
from mtlx.components.report.page_environment import page_environment
from mtlx.components.report.sections.line_chart import LineChart, line_chart
from mtlx.pipeline.replay.curves import Curves, labels
from mtlx.pipeline.replay.day_record import OLDER, TODAY, YESTERDAY, ReplayRecord
from mtlx.pipeline.replay.way import Way
from mtlx.pipeline.run.record.run_summary import Interval


def replay_page(record: ReplayRecord) -> str:
    """Renders the page; it refers to nothing outside itself and runs no script.

    Args:
        record: of the replay; a day at least.
    """
    curves = Curves(record)
    compares = len(curves.ways) > 1 or record.stale
    compared = {task: curves.compared(task) for task in record.tasks}
    by_way = {way: {t: curves.of_way(way, t) for t in record.tasks} for way in curves.ways}
    draw = _Drawing(curves)
    return (
        page_environment("mtlx.pipeline.replay")
        .get_template("replay.html")
        .render(
            record=record,
            created=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            first=curves.names[0],
            last=curves.names[-1],
            sentences=curves.sentences(),
            compared=draw.auc(compared) if compares else [],
            compared_legend=_legend(compared),
            ways=[
                (Way(way).words, draw.auc(tasks), _legend(tasks)) for way, tasks in by_way.items()
            ],
            cost=[
                *draw.numbers("Seconds of all nodes", curves.numbers(lambda day: day.seconds)),
                *draw.numbers(
                    "Thousand rows ingested", curves.numbers(lambda day: day.rows / 1000)
                ),
            ],
            cost_legend=labels(dict.fromkeys(curves.ways)),
            words={way.value: way.words for way in Way},
            name=lambda day: span_words(day.span, record.date),
            models=(TODAY, YESTERDAY, OLDER),
            spans=lambda day: many_words(day.trained_on, record.date),
        )
    )


class _Drawing:
    """Charts with one place on the horizontal axis per day.

    Args:
        curves: of the replay.
    """

    def __init__(self, curves: Curves) -> None:
        self._names = curves.names
        self._places = {span: place for place, span in enumerate(curves.spans, start=1)}

    def auc(self, tasks: Mapping[str, Mapping[str, Mapping[int, Interval]]]) -> list[LineChart]:
        """A chart per task; the first curve with its interval."""
        charts = []
        for task, curves in tasks.items():
            first = next(iter(curves))
            band = [
                (self._places[span], lower, upper)
                for span, (_, lower, upper) in curves[first].items()
                if lower is not None and upper is not None
            ]
            series = {
                name: {span: one[0] for span, one in points.items() if one[0] is not None}
                for name, points in curves.items()
            }
            bands = {first: band} if len(band) > 1 else None
            charts += self._draw(f"AUC, {task}", series, bands)
        return charts

    def numbers(self, title: str, ways: Mapping[str, Mapping[int, float]]) -> list[LineChart]:
        """One chart with a curve per way."""
        return self._draw(title, ways, None)

    def _draw(
        self,
        title: str,
        series: Mapping[str, Mapping[int, float]],
        bands: Mapping[str, Sequence[tuple[int, float, float]]] | None,
    ) -> list[LineChart]:
        placed = {
            name: [(self._places[span], value) for span, value in points.items()]
            for name, points in series.items()
        }
        chart = line_chart(title, placed, {}, bands=bands, x_title="day", x_texts=self._names)
        return [] if chart is None else [chart]


def _legend(tasks: Mapping[str, Mapping[str, Mapping[int, Interval]]]) -> dict[str, str]:
    """The curves that have a point in any task."""
    drawn = {name: None for curves in tasks.values() for name, points in curves.items() if points}
    return labels(drawn)
