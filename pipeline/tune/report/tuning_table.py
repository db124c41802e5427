"""A search as tables in the terminal."""

from collections.abc import Iterator

from mtlx.components.report.formatting import duration, fixed, share
from mtlx.pipeline.trainings.table_lines import table_lines
from mtlx.pipeline.tune.report.findings import DIGITS, findings
from mtlx.pipeline.tune.space import shown
from mtlx.pipeline.tune.tuning_record import TrialRow, TuningRecord

#: Trials in the terminal; the page has them all.
_SHOWN = 10


def trial_line(row: TrialRow, record: TuningRecord) -> str:
    """What is told of a trial as soon as it has ended."""
    head = f"trial {row.number}{' (the file as it is)' if row.own else ''}: "
    settings = ", ".join(f"{name} {shown(value)}" for name, value in row.settings.items())
    if row.state == "failed":
        return f"{head}failed with {settings}: {row.reason}"
    told = f"{record.objective} {fixed(row.value, DIGITS)}"
    if row.state == "pruned":
        return f"{head}{told}, {row.reason.partition(':')[0]}; {settings}"
    best = ", the best so far" if record.best is row else ""
    return f"{head}{told}{best}; {settings}; {duration(row.seconds)}"


def tuning_table(record: TuningRecord) -> Iterator[str]:
    """The best trials, what mattered, and what can be said of all that.

    Args:
        record: of the search.

    Yields:
        Lines.
    """
    ranked = record.ranked
    if ranked:
        yield (
            f"{record.objective} on the validation split, "
            f"{'lower' if record.lower_is_better else 'higher'} is better"
        )
        header = ["", "trial", "value", "epoch", *record.space, "time"]
        table = [header]
        for place, row in enumerate(ranked[:_SHOWN], start=1):
            settings = [shown(row.settings[name]) for name in record.space]
            own = f"{row.number}{' (file)' if row.own else ''}"
            value = fixed(row.value, DIGITS)
            table.append([f"{place}.", own, value, str(row.kept), *settings, duration(row.seconds)])
        yield from table_lines(table)
        yield ""
    if record.importances:
        told = ", ".join(f"{name} {share(part, 1)}" for name, part in record.importances.items())
        yield f"What mattered, as shares of the variation: {told}."
    elif record.no_importances and ranked:
        yield f"{record.no_importances}."
    for sentence in findings(record):
        yield f"{sentence}."
    for row in record.of_state("failed"):
        yield f"trial {row.number} failed: {row.reason}"
