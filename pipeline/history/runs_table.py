"""The runs of an experiment as a table in the terminal.

Written by hand: a table of rich, which measures and wraps every cell, takes a second for three
hundred runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from mtlx.pipeline.history import words
from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary

_GAP = "  "
#: As terminals know colours by number.
_COLOURS = {
    Outcome.BLESSED: 32,
    Outcome.NOT_BLESSED: 33,
    Outcome.UNDER_WAY: 36,
    Outcome.FAILED: 31,
    Outcome.STOPPED: 31,
    Outcome.KILLED: 31,
    Outcome.UNREADABLE: 31,
}
_ENDED = "ended"


@dataclass(frozen=True)
class _Column:
    """One column; of numbers, the ends are below each other."""

    title: str
    cells: list[str]
    number: bool = False

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.title, *self.cells)))


def runs_table(
    runs: Sequence[RunSummary], width: int | None = None, coloured: bool = False
) -> Iterator[str]:
    """One line per run, the latest last; tasks that do not fit come in tables below.

    Args:
        runs: in the order in which they began.
        width: of the terminal, in characters; None for lines of any length.
        coloured: whether the terminal shows colours.

    Yields:
        Lines.
    """
    first, *others = _side_by_side(runs, width)
    yield from _lines(runs, first, coloured)
    for columns in others:
        yield ""
        yield from _lines(runs, columns, coloured)


def _side_by_side(runs: Sequence[RunSummary], width: int | None) -> Iterator[list[_Column]]:
    """The columns of each table."""
    name = _Column("run", [run.run_id for run in runs])
    together = [name, *_about(runs)]
    for task in words.tasks_of(runs):
        columns = _of_task(runs, task)
        wide = sum(column.width + len(_GAP) for column in (*together, *columns)) - len(_GAP)
        if width is not None and wide > width and len(together) > 1:
            yield together
            together = [name]
        together += columns
    yield together


def _about(runs: Sequence[RunSummary]) -> list[_Column]:
    """What there is of every run, whatever its tasks; what none has is left out."""
    columns = [
        _Column("began", [words.moment(run) for run in runs]),
        _Column("spans", [words.spans_in_short(run) for run in runs]),
        _Column("model", [run.model or words.NONE for run in runs]),
        _Column(_ENDED, [run.verdict for run in runs]),
        _Column("moved", [words.moved(run) for run in runs]),
        _Column("seconds", [_seconds(run) for run in runs], number=True),
        _Column("wrote", [words.size(run.bytes) for run in runs], number=True),
    ]
    if all(run.run_id[:4].isdecimal() for run in runs):  # which says when it began
        del columns[0]
    return [column for column in columns if set(column.cells) != {words.NONE}]


def _of_task(runs: Sequence[RunSummary], task: str) -> list[_Column]:
    """AUC and RelaImp; the intervals are on the page."""
    auc = [words.number(run.auc.get(task), 4) for run in runs]
    relaimp = [words.number(run.relaimp.get(task), 2, sign=True) for run in runs]
    columns = [_Column(f"{task} AUC", auc, number=True)]
    if set(relaimp) != {words.NONE}:
        columns.append(_Column("RelaImp %", relaimp, number=True))
    return columns


def _seconds(run: RunSummary) -> str:
    return words.NONE if run.seconds is None else f"{run.seconds:,.0f}"


def _lines(runs: Sequence[RunSummary], columns: Sequence[_Column], coloured: bool) -> Iterator[str]:
    widths = [column.width for column in columns]

    def line(texts: Sequence[str], colour: int | None = None) -> str:
        cells = []
        for column, width, text in zip(columns, widths, texts, strict=True):
            blank = " " * (width - cell_len(text))
            if colour is not None and column.title == _ENDED:
                cells.append(f"\x1b[{colour}m{text}\x1b[0m{blank}")
            else:
                cells.append(blank + text if column.number else text + blank)
        return _GAP.join(cells).rstrip()

    yield line([column.title for column in columns])
    for row, run in enumerate(runs):
        colour = _COLOURS[run.outcome] if coloured else None
        yield line([column.cells[row] for column in columns], colour)
