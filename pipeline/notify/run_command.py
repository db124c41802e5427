"""Starts the program that is told of a run."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence

from mtlx.pipeline.notify.message import Message
from mtlx.pipeline.notify.not_told import NotTold

#: Of what the program printed, so many characters are repeated where it failed.
_SHOWN = 300


def run_command(
    command: Sequence[str], folder: str | None, message: Message, timeout_seconds: float
) -> None:
    """Runs a program with a message on its standard input and in its environment.

    Args:
        command: the program and its arguments.
        folder: in which it starts; None for the working directory.
        message: the message.
        timeout_seconds: after which it is killed, with all that it started.

    Raises:
        NotTold: it could not be started, failed or took too long.
    """
    # Files, not pipes: a pipe waits for everything that the program started, too.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write(message.text.encode() + b"\n")
        given.seek(0)
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **message.variables()},
                stdin=given,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NotTold(f"{command[0]} cannot be started: {reason}") from error
        try:
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise NotTold(
                f"{command[0]} took longer than {timeout_seconds:g} s, and was ended"
            ) from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code != 0:
            printed.seek(0)
            said = " ".join(printed.read().decode(errors="replace").split())[-_SHOWN:]
            raise NotTold(f"{command[0]} ended with code {code}" + (f": {said}" if said else ""))
