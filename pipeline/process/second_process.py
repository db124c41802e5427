"""A second process, forked from this one, that calls functions for it."""

import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

#: What the second process says of what it sends.
_LOGGED, _RAISED, _RETURNED = "logged", "raised", "returned"


class SecondProcessEnded(RuntimeError):
    """The second process is gone, and what it was called for with it."""


class SecondProcess:
    """Calls functions, one at a time, in a process that is forked when this is made.

    It begins with all that is imported here, in a hundredth of the time that importing takes. So it
    is to be made before this process has threads of native code: what one of them held at that
    moment would be held for ever. It ends with this process, however that ends, and leaves
    Ctrl-C to it. What its functions log is logged here.

    Args:
        name: begins each line of theirs.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, self._pipe)
        # A daemon is ended where this process ends in order.
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns there; it and the arguments are pickled.

        Raises:
            SecondProcessEnded: the process was ended meanwhile, or before.
            Exception: what the function raises.
        """
        try:
            self._pipe.send((function, arguments))
            kind, value = self._answer()
        except (EOFError, ConnectionError) as error:
            self._process.join(timeout=10)
            raise SecondProcessEnded(
                f"the process that it was running in has ended ({_how(self._process.exitcode)})"
            ) from error
        if kind == _RAISED:
            raise value
        return value

    def _answer(self) -> tuple[str, Any]:
        """What the function raised or returned; logs what comes before."""
        while True:
            kind, value = self._pipe.recv()
            if kind != _LOGGED:
                return kind, value
            value.msg = f"{self._name}: {value.msg}"
            logging.getLogger(value.name).handle(value)

    def end(self) -> None:
        """Ends the process, whatever it is doing."""
        self._process.kill()
        self._process.join()


def _how(code: int | None) -> str:
    """Words for how a process ended."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"by {name}" + (", as where memory ran out" if name == "SIGKILL" else "")
    return f"exit code {code}"


def _serve(pipe: Connection, of_parent: Connection) -> None:
    """What the second process does."""
    of_parent.close()
    # The descriptor is that of the parent, which would take a signal here for one of its own.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # What may stand in their places has locks that may be held.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    threading.Thread(target=_end_with_parent, daemon=True, name="end with parent").start()
    sent = _Sent(pipe)
    logging.getLogger().handlers = [sent]
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = _RETURNED, function(*arguments)
        except Exception as error:  # noqa: BLE001 (raised again by whoever called)
            logging.error("%s", traceback.format_exc())
            answer = _RAISED, _that_travels(error)
        sent.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _that_travels(error: Exception) -> Exception:
    """The error, or one with its words where it cannot be pickled."""
    with contextlib.suppress(Exception):
        if str(pickle.loads(pickle.dumps(error))) == str(error):
            return error
    return RuntimeError(f"{type(error).__name__}: {error}")


class _Sent(logging.Handler):
    """Sends records to the parent."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def send(self, message: tuple[str, Any]) -> None:
        """Sends a message, behind those of other threads."""
        self.acquire()
        try:
            self._pipe.send(message)
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Sends a record, its text finished: what it was made of may be of any kind."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None
        with contextlib.suppress(OSError):  # the parent is gone, and this process goes, too
            self._pipe.send((_LOGGED, record))
