"""A replay as a table in the terminal."""

from collections.abc import Iterator

from mtlx.components.log_example_gen.spans.span_marks import span_words
from mtlx.pipeline.replay.curves import BEST, Curves
from mtlx.pipeline.replay.day_record import OLDER, TODAY, YESTERDAY, DayRecord, ReplayRecord
from mtlx.pipeline.replay.way import Way

_NONE = "\N{EN DASH}"
_GAP = "  "


def day_line(way: Way, day: DayRecord, record: ReplayRecord) -> str:
    """What is told of a day as soon as it is done."""
    auc = ", ".join(f"{task} {_auc(day.value(TODAY, task))}" for task in record.tasks)
    name = span_words(day.span, record.date)
    line = f"{name}  {way.words}: {day.outcome}; AUC {auc}; {day.seconds:,.0f} s, {day.rows:,} rows"
    return f"{line}\n  {day.message}" if day.message else line


def replay_table(record: ReplayRecord) -> Iterator[str]:
    """A table per way with the models' AUC by day, then one per task with the ways beside each
    other, where there are several; then what they come to.

    Args:
        record: of the replay; a day at least.

    Yields:
        Lines.
    """
    curves = Curves(record)
    for way in curves.ways:
        yield Way(way).words
        yield from _lines(_of_way(curves, way))
        yield ""
    if len(curves.ways) > 1 or record.stale:
        for task in record.tasks:
            yield f"AUC, {task}"
            yield from _lines(_compared(curves, task))
            yield ""
    yield from curves.sentences()


def _of_way(curves: Curves, way: str) -> list[list[str]]:
    tasks = curves.record.tasks
    header = ["day"]
    for task in tasks:
        header += [f"{task} AUC", "yesterday's", "older"]
        header += ["best"] if any(task in day.best for day in curves.record.days[way]) else []
    table = [[*header, "seconds", "rows", "gate"]]
    for day in curves.record.days[way]:
        cells = [span_words(day.span, curves.record.date)]
        for task in tasks:
            cells += [_auc(day.value(model, task)) for model in (TODAY, YESTERDAY, OLDER)]
            if any(task in other.best for other in curves.record.days[way]):
                cells.append(_auc(day.best.get(task)))
        table.append([*cells, f"{day.seconds:,.1f}", f"{day.rows:,}", day.outcome])
    return table


def _compared(curves: Curves, task: str) -> list[list[str]]:
    found = {name: points for name, points in curves.compared(task).items() if points}
    words = {way.value: way.words for way in Way} | {BEST: "best"}
    table = [["day", *(words[name] for name in found)]]
    for span, name in zip(curves.spans, curves.names, strict=True):
        table.append([name, *(_auc(points.get(span, (None,))[0]) for points in found.values())])
    return table


def _auc(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4f}"


def _lines(table: list[list[str]]) -> Iterator[str]:
    """Rows of cells as lines; the last column, of words, stands to the left."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        *numbers, last = zip(cells, widths, strict=True)
        shown = [text.rjust(width) for text, width in numbers]
        yield _GAP.join([*shown, last[0].ljust(last[1])]).rstrip()
