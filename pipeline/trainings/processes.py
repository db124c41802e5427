"""Processes that do tasks, and what is said of those that die."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from mtlx.pipeline.trainings.task import FAILED_FILE, Task

#: In a task's folder.
LOG_FILE = "log.txt"

#: Does a task in a folder, and gives what it says meanwhile to a function.
Runner = Callable[[Task, Path, Callable[[str], None]], None]


class TaskFailed(RuntimeError):
    """A training or an evaluation ended without its result; the text says why."""


class ProcessDied(TaskFailed):
    """It was ended by a signal from outside, and might go on where it was."""


class Processes:
    """Starts a process for each task, and kills those at work when it is told to.

    Args:
        command: of a process, before the file with its task and that of its log.
    """

    def __init__(
        self, command: Sequence[str] = (sys.executable, "-m", "mtlx.pipeline.trainings.work")
    ) -> None:
        self._command = command
        self._at_work: set[subprocess.Popen[str]] = set()
        self._ended = threading.Event()

    def run(self, task: Task, folder: Path, on_progress: Callable[[str], None]) -> None:
        """Waits for a task's process.

        Args:
            task: what is done.
            folder: of what is made.
            on_progress: is given what the process prints, line by line; an exception of it ends
                the process, and is raised here.

        Raises:
            TaskFailed: it failed.
            ProcessDied: it was ended by a signal, by SIGKILL most often for want of memory.
        """
        told = {"kind": type(task).__name__, "values": asdict(task), "folder": str(folder)}
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as own:
            path = Path(own) / "task.json"
            path.write_text(json.dumps(told), encoding="utf-8")
            log = folder / LOG_FILE
            (folder / FAILED_FILE).unlink(missing_ok=True)
            with open(folder / "errors.txt", "w", encoding="utf-8") as errors:
                process = subprocess.Popen(
                    [*self._command, str(path), str(log)],
                    # It ends with its standard input, and so with this process.
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    # Ctrl-C in a terminal is for the command alone, which ends its processes.
                    start_new_session=True,
                    env={**os.environ, "TF_USE_LEGACY_KERAS": "0"},
                )
                self._at_work.add(process)
                if self._ended.is_set():
                    process.kill()
                assert process.stdout is not None
                try:
                    for line in process.stdout:
                        on_progress(line.rstrip())
                    code = process.wait()
                except BaseException:
                    process.kill()
                    process.wait()
                    raise
                finally:
                    self._at_work.discard(process)
        if code != 0:
            raise (ProcessDied if code < 0 else TaskFailed)(_why(folder, code))

    def kill(self) -> None:
        """Ends what is at work, and what would begin."""
        self._ended.set()
        for process in list(self._at_work):
            process.kill()


def end_with_parent() -> None:
    """Ends a process, from a thread of it, when whoever started it is gone: so standard input ends.

    It is not read by `sys.stdin`: Python aborts where a thread holds its lock at the end.
    """
    while os.read(0, 1):
        continue
    os._exit(1)


def _why(folder: Path, code: int) -> str:
    """What became of a process, for people."""
    try:
        told = json.loads((folder / FAILED_FILE).read_text(encoding="utf-8"))
        return str(told["message"])
    except FileNotFoundError:
        pass
    if code < 0:
        name = signal.Signals(-code).name
        most = ", most likely for want of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{most}; see {folder}"
    return f"its process ended with code {code}; see {folder}"
