"""A comparison as tables in the terminal."""

from collections.abc import Iterator

from mtlx.components.report.formatting import count, duration, fixed, signed
from mtlx.components.slice_evaluation.metrics.metric_names import metric_title
from mtlx.pipeline.compare.comparison_record import OVERALL, ComparisonRecord, Difference, Row
from mtlx.pipeline.compare.ranking import ranks, sentences
from mtlx.pipeline.trainings.table_lines import table_lines

#: Columns of slices that a terminal has room for; the page has all.
SLICES = 6


def row_line(row: Row, record: ComparisonRecord) -> str:
    """What is told of a model as soon as it is done."""
    if row.failed:
        return f"{row.label}: {row.failed}"
    told = ", ".join(
        f"{task} {metric_title(metric)} {fixed(row.value(task))}"
        for task, metric in record.metrics.items()
    )
    return f"{row.label}: {told}; {duration(row.seconds)} a training"


def comparison_table(record: ComparisonRecord) -> Iterator[str]:
    """A table per task, the best first, on all rows and some slices; then what is decided.

    Args:
        record: of the comparison.

    Yields:
        Lines.
    """
    slices = [one for one in record.slices if one != OVERALL]
    shown = slices[:SLICES]
    for task in record.tasks:
        yield f"{task}: {metric_title(record.metrics[task])}, mean over {_seeds(record.seeds)}"
        yield from table_lines(_of_task(record, task, shown))
        yield ""
    if len(slices) > len(shown):
        yield f"{len(slices) - len(shown)} further slices are on the page."
    for sentence in sentences(record):
        yield f"{sentence}."
    for row in record.rows:
        if row.failed:
            yield f"{row.label} is not compared: {row.failed}"


def interval(found: Difference) -> str:
    """``[+0.0010, +0.0042]``, or nothing."""
    if found.lower is None or found.upper is None:
        return ""
    return f"[{signed(found.lower, 4)}, {signed(found.upper, 4)}]"


def spread(row: Row, task: str, place: str = OVERALL) -> str:
    """The lowest and the highest seed."""
    found = row.measured.get((task, place))
    values = list(found.by_seed.values()) if found else []
    return f"{fixed(min(values))} to {fixed(max(values))}" if values else ""


def _of_task(record: ComparisonRecord, task: str, slices: list[str]) -> list[list[str]]:
    header = ["", "model", "mean", "seeds", f"less {record.reference}", "interval", "decided"]
    table = [[*header, "parameters", "a training", "rows/s", *slices]]
    for rank in ranks(record, task):
        row = record.row(rank.label)
        over = row.over_reference.get((task, OVERALL)) or Difference(None)
        verdict = "" if row.label == record.reference else rank.against_reference
        own = [row.measured.get((task, one)) for one in slices]
        table.append(
            [
                f"{rank.place}.",
                row.label,
                fixed(row.value(task)),
                spread(row, task),
                "reference" if row.label == record.reference else signed(over.value, 4),
                interval(over),
                verdict,
                count(row.parameters),
                duration(row.seconds),
                count(row.rows_per_second),
                *(fixed(one.value if one else None) for one in own),
            ]
        )
    return table


def _seeds(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"{seeds} seeds"
