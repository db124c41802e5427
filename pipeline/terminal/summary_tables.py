"""The candidate's AUC and RelaImp per task and slice, as tables that fit a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from mtlx.components.report.sections.slice_groups import slice_groups
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.slices import SliceKey, slice_text
from mtlx.components.slice_evaluation.statistics.slice_metrics import BASELINE, CANDIDATE, REFERENCE
from mtlx.pipeline.terminal.short_names import ShortNames

#: Of a feature with more slices, the largest so many are shown.
_SHOWN_SLICES = 12
#: Most characters of a slice's and of a task's name.
_SLICE_WIDTH, _TASK_WIDTH = 30, 28
#: What rich puts around a column: a border, and a blank on either side.
_BORDER = 3


@dataclass(frozen=True)
class SummaryTables:
    """What is printed.

    Attributes:
        title: of all tables.
        tables: as many as it takes, each with all slices and some of the tasks.
        notes: what was left out, and the whole of the names that were cut.
    """

    title: str
    tables: list[Table]
    notes: list[str]


def summary_tables(results: SliceResults, width: int) -> SummaryTables:
    """Lays out overall and the slices by one feature; crosses are in the report.

    Args:
        results: of the slice evaluation.
        width: of the terminal, in characters.
    """
    short_slice, short_task = ShortNames(_SLICE_WIDTH), ShortNames(_TASK_WIDTH)
    slices, notes = _shown_slices(results)
    against = next((name for name in (BASELINE, REFERENCE) if name in results.models), None)
    metrics = {(m.task, m.key): m for m in results.metrics if m.model == CANDIDATE}
    compared = {(c.task, c.key): c for c in results.comparisons if c.baseline == against}
    columns = {
        task: [_cell(metrics.get((task, key)), compared.get((task, key))) for key in slices]
        for task in results.tasks
    }
    first = [short_slice(slice_text(key)) for key in slices]
    tables = []
    for tasks in _side_by_side(columns, short_task, width - _wide([*first, "slice"]) - 1):
        table = Table()
        for name in ("slice", *(short_task(task) for task in tasks)):
            # Text: what stands in brackets would be taken for a style, and left out.
            table.add_column(Text(name), no_wrap=True)
        for row in zip(first, *(columns[task] for task in tasks), strict=True):
            table.add_row(*map(Text, row))
        tables.append(table)
    title = "Candidate's AUC" + (f" and RelaImp over the {against} (%)" if against else "")
    return SummaryTables(title, tables, [*notes, *short_task.legend, *short_slice.legend])


def _shown_slices(results: SliceResults) -> tuple[list[SliceKey], list[str]]:
    """The slices to show, and a note for each feature of which some are left out."""
    shown: list[SliceKey] = []
    notes = []
    for group in slice_groups(results, _SHOWN_SLICES):
        if len(group.features) > 1:
            continue
        shown += group.slices
        if group.hidden:
            notes.append(
                f"{group.title}: the {len(group.slices)} largest slices; "
                f"{group.hidden:,} more are in the evaluation's files"
            )
    return shown, notes


def _side_by_side(
    columns: dict[str, list[str]], short: ShortNames, width: int
) -> Iterator[list[str]]:
    """Tasks whose columns fit beside each other; at least one at a time."""
    together: list[str] = []
    left = width
    for task, cells in columns.items():
        needed = _wide([*cells, short(task)])
        if together and needed > left:
            yield together
            together, left = [], width
        together.append(task)
        left -= needed
    yield together


def _wide(cells: list[str]) -> int:
    return max(map(cell_len, cells)) + _BORDER


def _cell(metric: SliceMetrics | None, comparison: Comparison | None) -> str:
    if metric is None or not metric.examples:
        return "no rows"
    if metric.of_numbers:
        ratio = metric.calibration
        return "numbers" if ratio is None else f"calibration {ratio:.3f}"
    if metric.auc is None:
        return f"undefined ({metric.positives:,} of {metric.examples:,} positive)"
    cell = f"{metric.auc:.4f}"
    if comparison is None or comparison.relaimp is None:
        return cell
    cell += f"  {comparison.relaimp:+.2f}"
    lower, upper = comparison.relaimp_lower, comparison.relaimp_upper
    return cell if lower is None or upper is None else f"{cell} [{lower:+.2f}, {upper:+.2f}]"
