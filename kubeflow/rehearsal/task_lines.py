"""What a person sees of a rehearsal in the terminal: a line per task, live for those that run."""

import time

from rich.console import Console, Group
from rich.text import Text

from mtlx.kubeflow.rehearsal.task_run import TaskRun
from mtlx.pipeline.terminal.live_lines import LiveLines

_MARKS = {
    "running": ("●", "yellow"),
    "retrying": ("↻", "yellow"),
    "complete": ("✔", "green"),
    "finished": ("✔", "green"),
    "cached": ("✔", "cyan"),
    "failed": ("✘", "red"),
    "skipped": ("○", "dim"),
    "blocked": ("○", "dim"),
}


class TaskLines(LiveLines):
    """One line per task; several run at once.

    Where the output is no terminal, a line is printed when a task starts and when it ends, with
    its progress between.
    """

    def __init__(self, console: Console) -> None:
        self._running: dict[str, tuple[TaskRun, float, str]] = {}
        super().__init__(console)

    def end(self) -> None:
        """Nothing is at work."""
        self._running = {}

    def task(self, task: TaskRun) -> None:
        """Takes a task's start, retry or end."""
        if task.state == "running":
            self._running[task.name] = (task, time.monotonic(), "")
            if self._console.is_terminal:
                return
        else:
            self._running.pop(task.name, None)
        self._console.print(_line(task, ""), soft_wrap=True)

    def progress(self, name: str, line: str) -> None:
        """Takes a line that a task printed."""
        if name in self._running:
            task, started, _ = self._running[name]
            self._running[name] = (task, started, line)
        if not self._console.is_terminal:
            self._console.print(Text(f"    {name}: {line}", style="dim"), soft_wrap=True)

    def at_work(self) -> Group:
        """See LiveLines."""
        now = time.monotonic()
        return Group(
            *(
                _line(task, progress, now - started)
                for task, started, progress in list(self._running.values())
            )
        )


def _line(task: TaskRun, progress: str, seconds: float | None = None) -> Text:
    mark, colour = _MARKS[task.state]
    seconds = task.seconds if seconds is None else seconds
    line = Text.assemble((f"{mark} ", colour), f"{task.node_id:<20}", (f"{task.state:<10}", colour))
    line.append(f"{seconds:7.1f} s" if seconds else " " * 9)
    if task.attempts > 1:
        line.append(f"  attempt {task.attempts}")
    if task.problem:
        line.append(f"  {task.problem.splitlines()[0]}", style="red")
    if progress:
        line.append(f"  {progress}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
