"""Imports of TFX and TensorFlow: without the garbage collector's help, and without a word."""

import contextlib
import gc
import logging
from collections.abc import Iterator

#: What libraries said while they were imported, for the next log that is opened.
_HELD: list[logging.LogRecord] = []


@contextlib.contextmanager
def heavy_imports() -> Iterator[None]:
    """Keeps the collector still while modules are imported, and away from them ever after.

    Importing makes a million objects that live as long as the process: looking through them
    takes a quarter of the import's time, and a second more in every run. What the libraries say
    meanwhile is no news to a person; `held_records` gives it to the run's log.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        with _held_back():
            yield
    finally:
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
