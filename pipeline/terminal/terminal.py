"""What a person sees of a run in the terminal: a live line per node, then the summary."""

import time

from rich.console import Console
from rich.text import Text

from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.pipeline.run.run_result import NodeRun, RunResult
from mtlx.pipeline.terminal.drift_lines import drift_lines
from mtlx.pipeline.terminal.further_lines import further_lines
from mtlx.pipeline.terminal.insight_lines import insight_lines
from mtlx.pipeline.terminal.live_lines import LiveLines
from mtlx.pipeline.terminal.seed_lines import seed_lines
from mtlx.pipeline.terminal.summary_tables import summary_tables
from mtlx.pipeline.terminal.training_lines import training_lines
from mtlx.pipeline.terminal.undefined_notes import undefined_notes

_MARKS = {
    "running": ("●", "yellow"),
    "complete": ("✔", "green"),
    "cached": ("✔", "cyan"),
    "skipped": ("○", "dim"),
    "failed": ("✘", "red"),
}


class NodeLines(LiveLines):
    """One line per node: state, rows, seconds; the running nodes' lines are live.

    Where the output is no terminal, a line is printed when a node starts and when it ends.
    """

    def __init__(self, console: Console):
        #: When each running node has started.
        self._running: dict[str, float] = {}
        self._progress = ""
        super().__init__(console)

    def end(self) -> None:
        """Nothing is at work."""
        self._running.clear()

    def node(self, node: NodeRun) -> None:
        """Takes a node's start or end."""
        if node.state == "running":
            self._running[node.node_id], self._progress = time.monotonic(), ""
            if not self._console.is_terminal:
                self._console.print(_node_line(node, ""), soft_wrap=True)
            return
        self._running.pop(node.node_id, None)
        self._console.print(_node_line(node, ""), soft_wrap=True)

    def progress(self, line: str) -> None:
        """Takes a line of progress from inside the running node."""
        self._progress = line
        if not self._console.is_terminal:
            self._console.print(Text(f"    {line}", style="dim"), soft_wrap=True)

    def at_work(self) -> Text:
        """See LiveLines."""
        now = time.monotonic()
        elapsed = [NodeRun(one, "running", now - since) for one, since in self._running.items()]
        # What was said last stands at the end.
        progress = [*[""] * (len(elapsed) - 1), self._progress]
        return Text("\n", no_wrap=True, overflow="ellipsis").join(
            map(_node_line, elapsed, progress)
        )


def _node_line(node: NodeRun, progress: str) -> Text:
    mark, colour = _MARKS[node.state]
    line = Text.assemble((f"{mark} ", colour), f"{node.node_id:<20}", (f"{node.state:<10}", colour))
    line.append(f"{node.seconds:7.1f} s" if node.seconds else " " * 9)
    if node.rows is not None:
        line.append(f"  {node.rows:>12,} rows")
    if node.malformed:
        line.append(f", {node.malformed:,} malformed left out", style="yellow")
    if progress:
        line.append(f"  {progress}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _verdict_line(verdict: Verdict, served: ServingOutcome | None) -> Text:
    """The run's end in one line."""
    if not verdict.blessed:
        return Text("NOT BLESSED: the candidate stays back", style="bold red")
    if served is None:
        return Text("BLESSED: the candidate passed the gate", style="bold green")
    if served.blessed:
        words = "BLESSED: the candidate passed the gate and the serving check"
        return Text(words, style="bold green")
    words = "NOT BLESSED: the candidate passed the gate, but cannot be served as it should"
    return Text(words, style="bold red")


def print_summary(
    console: Console,
    result: RunResult,
    verdict: Verdict,
    results: SliceResults | None,
    served: ServingOutcome | None = None,
) -> None:
    """Prints the verdict with its reasons, the RelaImp table, the epochs and where all is."""
    console.print()
    if results is not None:
        shown = summary_tables(results, console.width)
        console.print(Text(shown.title, style="italic"))
        for table in shown.tables:
            console.print(table)
        for line in (*further_lines(results), *seed_lines(results)):
            console.print(Text(line), soft_wrap=True)
        for note in (*shown.notes, *undefined_notes(results), *results.notices):
            console.print(Text(note, style="dim"), soft_wrap=True)
    for check in verdict.checks:
        mark, colour = ("✔", "green") if check.passed else ("✘", "red")
        console.print(Text.assemble((f"{mark} ", colour), check.message), soft_wrap=True)
    for finding in served.findings if served else ():
        mark, colour = ("✔", "green") if finding.passed else ("✘", "red")
        line = f"serving check: {finding.message}"
        console.print(Text.assemble((f"{mark} ", colour), line), soft_wrap=True)
    if verdict.family is not None:
        console.print(Text(verdict.family.words), soft_wrap=True)
    if verdict.seeds:
        console.print(Text(verdict.seeds), soft_wrap=True)
    console.print(_verdict_line(verdict, served))
    if result.window:
        console.print(f"Model {result.window['words']}", soft_wrap=True, markup=False)
        for notice in result.window.get("notices", ()):
            console.print(Text.assemble(("! ", "yellow"), notice), soft_wrap=True)
    if result.pushed_to:
        console.print(f"Pushed to {result.pushed_to}", soft_wrap=True, markup=False)
    kept, warnings = training_lines(result.nodes)
    quiet, moved = drift_lines(result.nodes)
    for line in (*kept, *quiet, *insight_lines(result.nodes)):
        console.print(line, soft_wrap=True, markup=False)
    for line in (*warnings, *moved):
        console.print(Text.assemble(("! ", "yellow"), line), soft_wrap=True)
    one_by_one = sum(node.seconds for node in result.nodes)
    seconds = one_by_one if result.seconds is None else result.seconds
    console.print(f"{len(result.nodes)} nodes in {seconds:.0f} s")
    console.print(f"Report: {result.folder / 'report.html'}", soft_wrap=True, markup=False)
    for note in result.notes:
        console.print(note, soft_wrap=True, markup=False)
