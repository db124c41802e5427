"""Processes that are killed, or stopped, where a test wants it."""

import os
import signal
import subprocess
import sys

from tests.forked_process import ForkedProcess

#: Before the code of a training process: kills it in the step of number `kill_at`, if any. What was
#: saved before is then written, though that happens beside the steps.
KILL_AT_STEP = """
import os, signal, threading
from mtlx.trainer.training.stored.background_writer import THREAD
from mtlx.trainer.training import ordinary_step

step, taken = ordinary_step.OrdinaryStep.__call__, []
def until_killed(self, batch):
    taken.append(1)
    if len(taken) == kill_at:
        [one.join() for one in threading.enumerate() if one.name == THREAD]
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch)
ordinary_step.OrdinaryStep.__call__ = until_killed
"""


def command_of(name, path, *overrides):
    """The command line of a command on an experiment file."""
    sets = [text for override in overrides for text in ("--set", override)]
    return [sys.executable, "-m", "mtlx.pipeline.command_line", name, str(path), *sets]


def started(command, start=ForkedProcess, **options):
    """A process of a command, whose whole output can be read line by line as it is printed."""
    return start(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        **options,
    )


def ended_at(process, sign, number=signal.SIGKILL, at_sign=lambda process: None):
    """Sends a process a signal as soon as it prints a sign; returns all that it printed.

    Args:
        process: of `started`.
        sign: text of a line.
        number: of the signal; a person who is impatient presses Ctrl-C twice.
        at_sign: is called with the process before it is signalled.
    """
    seen = []
    for line in process.stdout:
        seen.append(line)
        if sign in line:
            break
    at_sign(process)
    for _ in range(2 if number == signal.SIGINT else 1):
        process.send_signal(number)
    seen += process.stdout
    process.wait()
    return "".join(seen)
