"""What a person sees of a run on the cluster: a line per task when its state changes."""

import time

from rich.console import Console
from rich.text import Text

from mtlx.kubeflow.submission.run_verdict import TaskState
from mtlx.pipeline.terminal.live_lines import LiveLines

_MARKS = {
    "SUCCEEDED": ("✔", "green", "complete"),
    "SKIPPED": ("–", "dim", "skipped"),
    "FAILED": ("✘", "red", "failed"),
    "CANCELED": ("✘", "red", "cancelled"),
    "RUNNING": ("●", "yellow", "running"),
    "PENDING": ("●", "yellow", "pending"),
}


class NodeLines(LiveLines):
    """Prints each task that ended; on a terminal, what is at work stands below, live."""

    def __init__(self, console: Console):
        self._states: dict[str, TaskState] = {}
        self._problem = ""
        self._since: dict[str, float] = {}
        super().__init__(console, per_second=2.0)

    def end(self) -> None:
        """Nothing is at work."""
        self._states, self._problem = {}, ""

    def states(self, states: dict[str, TaskState]) -> None:
        """Takes the tasks as they are now."""
        before, self._states, self._problem = self._states, states, ""
        for name, task in states.items():
            changed = name not in before or before[name].state != task.state
            if not changed:
                continue
            self._since[name] = time.monotonic()
            live = self._console.is_terminal and task.state in ("RUNNING", "PENDING")
            if task.state in _MARKS and not live:
                self._console.print(_line(task, task.seconds), soft_wrap=True)
                if task.error and task.state == "FAILED":
                    self._console.print(Text(f"    {task.error}", style="red"), soft_wrap=True)

    def problem(self, message: str) -> None:
        """Takes a failure of the API; the waiting goes on."""
        if not self._problem and not self._console.is_terminal:
            self._console.print(Text(f"    {message}; asking again", style="dim"), soft_wrap=True)
        self._problem = message

    def at_work(self) -> Text:
        """See LiveLines."""
        lines = [
            _line(task, time.monotonic() - self._since[name])
            for name, task in self._states.items()
            if task.state in ("RUNNING", "PENDING")
        ]
        if self._problem:
            lines.append(Text(f"  {self._problem}; asking again", style="dim"))
        return Text("\n").join(lines)


def _line(task: TaskState, seconds: float | None) -> Text:
    mark, colour, word = _MARKS[task.state]
    line = Text.assemble((f"{mark} ", colour), f"{task.name:<24}", (f"{word:<10}", colour))
    if seconds is not None and task.state != "SKIPPED":
        line.append(f"{seconds:9.0f} s")
    return line
