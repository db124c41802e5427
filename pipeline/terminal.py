"""What a person sees of a run in the terminal: a live line per node, then the summary."""

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from components.relaimp_gate.verdict import Verdict
from components.slice_evaluation.results import Comparison, SliceResults
from pipeline.local_run import NodeRun, RunResult
from pipeline.undefined_notes import undefined_notes

_MARKS = {
    "running": ("●", "yellow"),
    "complete": ("✔", "green"),
    "cached": ("✔", "cyan"),
    "failed": ("✘", "red"),
}


class NodeLines:
    """One line per node: state, rows, seconds; the running node's line is live.

    Where the output is no terminal, a line is printed when a node starts and when it ends.
    """

    def __init__(self, console: Console):
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._current: NodeRun | None = None
        self._started = 0.0
        self._progress = ""
        self._live.get_renderable = self._running_line

    def __enter__(self) -> "NodeLines":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._current = None
            self._live.stop()

    def node(self, node: NodeRun) -> None:
        """Takes a node's start or end."""
        if node.state == "running":
            self._current, self._started, self._progress = node, time.monotonic(), ""
            if not self._console.is_terminal:
                self._console.print(_node_line(node, ""), soft_wrap=True)
            return
        self._current = None
        self._console.print(_node_line(node, ""), soft_wrap=True)

    def progress(self, line: str) -> None:
        """Takes a line of progress from inside the running node."""
        self._progress = line
        if not self._console.is_terminal:
            self._console.print(Text(f"    {line}", style="dim"), soft_wrap=True)

    def _running_line(self) -> Text:
        if self._current is None:
            return Text("")
        elapsed = NodeRun(self._current.node_id, "running", time.monotonic() - self._started)
        return _node_line(elapsed, self._progress)


def _node_line(node: NodeRun, progress: str) -> Text:
    mark, colour = _MARKS[node.state]
    line = Text.assemble((f"{mark} ", colour), f"{node.node_id:<20}", (f"{node.state:<10}", colour))
    line.append(f"{node.seconds:7.1f} s" if node.seconds else " " * 9)
    if node.rows is not None:
        line.append(f"  {node.rows:>12,} rows")
    if progress:
        line.append(f"  {progress}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def print_summary(
    console: Console, result: RunResult, verdict: Verdict, results: SliceResults | None
) -> None:
    """Prints the verdict with its reasons, the RelaImp table and where everything is."""
    console.print()
    if results is not None:
        console.print(_relaimp_table(results))
        for note in (*undefined_notes(results), *results.notices):
            console.print(Text(note, style="dim"), soft_wrap=True)
    for check in verdict.checks:
        mark, colour = ("✔", "green") if check.passed else ("✘", "red")
        console.print(Text.assemble((f"{mark} ", colour), check.message), soft_wrap=True)
    if verdict.blessed:
        console.print(Text("BLESSED: the candidate passed the gate", style="bold green"))
    else:
        console.print(Text("NOT BLESSED: the candidate stays back", style="bold red"))
    if result.pushed_to:
        console.print(f"Pushed to {result.pushed_to}", soft_wrap=True)
    total = sum(node.seconds for node in result.nodes)
    console.print(f"{len(result.nodes)} nodes in {total:.0f} s")
    console.print(f"Report: {result.folder / 'report.html'}", soft_wrap=True)


def _relaimp_table(results: SliceResults) -> Table:
    """AUC of the candidate and RelaImp with its interval, per task and slice."""
    tasks = results.tasks
    crosses = {metric.slice for metric in results.metrics if "," in metric.slice}
    slices = [
        name
        for name in dict.fromkeys(metric.slice for metric in results.metrics)
        if name not in crosses
    ]
    against = next((name for name in ("baseline", "reference") if name in results.models), None)
    title = "Candidate's AUC" + (f" and RelaImp over the {against} (%)" if against else "")
    table = Table("slice", *tasks, title=title, title_justify="left")
    for name in slices:
        cells = []
        for task in tasks:
            metric = results.metric("candidate", task, name)
            cell = f"{metric.auc:.4f}" if metric and metric.auc is not None else "undefined"
            comparison = results.comparison(against, task, name) if against else None
            cells.append(cell + _interval(comparison))
        table.add_row(name, *cells)
    return table


def _interval(comparison: Comparison | None) -> str:
    if comparison is None or comparison.relaimp is None:
        return ""
    lower, upper = comparison.relaimp_lower, comparison.relaimp_upper
    interval = "" if lower is None or upper is None else f" [{lower:+.2f}, {upper:+.2f}]"
    return f"  {comparison.relaimp:+.2f}{interval}"
