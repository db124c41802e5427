"""Imports of TFX and TensorFlow: without the garbage collector's help, and without a word."""

import contextlib
import faulthandler
import functools
import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from mtlx.pipeline.process.left_out import left_out

#: What libraries said while they were imported, for the next log that is opened.
_HELD: list[logging.LogRecord] = []


@contextlib.contextmanager
def heavy_imports() -> Iterator[None]:
    """Keeps the collector still while modules are imported, and away from them ever after.

    Importing makes a million objects that live as long as the process: looking through them
    takes a quarter of the import's time, and a second more in every run. Where all had been
    imported before, nothing is kept from the collector: what lives by then ends one day, a model
    of an earlier run in this process, say, and it holds itself in circles. Modules that no run asks
    for are left out (`mtlx.pipeline.process.left_out`). What the libraries say
    meanwhile is no news to a person; `held_records` gives it to the run's log.
    """
    enabled, known = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        with _held_back(), _native_lines(), left_out():
            yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        if enabled:
            gc.enable()


def held_records() -> list[logging.LogRecord]:
    """The log records of all imports so far; they are given once."""
    records = _HELD[:]
    _HELD.clear()
    return records


class _Holder(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _HELD.append(record)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    root = logging.getLogger()
    if root.handlers:  # A log is open already.
        yield
        return
    # Without any handler, absl would set one up that prints to the terminal for good.
    holder = _Holder()
    root.addHandler(holder)
    try:
        yield
    finally:
        root.removeHandler(holder)


@contextlib.contextmanager
def _native_lines() -> Iterator[None]:
    """Takes what native code writes to standard error, and gives it to the log.

    TensorFlow 2.21 greets every process with six lines that no setting turns off. What Python
    writes meanwhile still goes where it should, and so do the trace of a crash and, where the
    import fails, all that was written.
    """
    sys.stderr.flush()
    before, terminal = sys.stderr, _terminal()
    traced = faulthandler.is_enabled()
    with tempfile.TemporaryFile() as file:
        if _descriptor(before) == 2:
            sys.stderr = terminal
        if not traced:
            faulthandler.enable(terminal)
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException:
            terminal.write(_text(file))
            raise
        else:
            for line in _text(file).splitlines():
                record = logging.LogRecord("native", logging.INFO, "native", 0, line, None, None)
                logging.getLogger().handle(record)
        finally:
            os.dup2(terminal.fileno(), 2)
            sys.stderr = before
            if not traced:
                faulthandler.disable()


@functools.cache
def _terminal() -> TextIO:
    """Standard error under another number; never closed, since imported handlers keep it."""
    return os.fdopen(os.dup(2), "w", buffering=1)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (AttributeError, OSError):
        return None


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
