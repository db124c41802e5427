"""Where a run's log goes: everything to a file, only what matters to the person."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from absl import logging as absl_logging

import mtlx
from mtlx.pipeline.process.heavy_imports import held_records

#: Log records from this project's files are progress that a person wants to see.
_OWN_FOLDER = str(Path(mtlx.__file__).parent) + os.sep


@contextlib.contextmanager
def run_log(path: Path | None, on_progress: Callable[[str], None]) -> Iterator[None]:
    """Sends all log records to a file while it is open.

    Args:
        path: the log file; None for standard error, of which a cluster keeps the log.
        on_progress: is given the records of this project's own packages, such as the trainer's
            line per epoch.
    """
    file_handler = _handler(path)
    file_handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(filename)s:%(lineno)d %(message)s")
    )
    for record in held_records():
        file_handler.handle(record)
    before = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.INFO)
    logging.captureWarnings(True)
    handlers = [file_handler, _ProgressHandler(on_progress)]
    try:
        with _only_handlers(handlers), warnings.catch_warnings():
            yield
    finally:
        logging.captureWarnings(False)
        absl_logging.set_verbosity(before)
        file_handler.close()


def _handler(path: Path | None) -> logging.Handler:
    if path is None:
        return logging.StreamHandler(sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    return _LogFile(path, encoding="utf-8")


class _LogFile(logging.FileHandler):
    """A log file that may fill its disk: lost lines are counted, and said once, not one by one.

    The standard handler prints a traceback on the terminal for every line that it cannot write.
    """

    def __init__(self, path: Path, encoding: str):
        super().__init__(path, encoding=encoding)
        self._lost, self._error = 0, ""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Takes a line that was not written."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._lost, self._error = self._lost + 1, str(error)
        else:
            super().handleError(record)

    def close(self) -> None:
        """Closes the file; says how many lines it lacks."""
        try:
            super().close()
        except OSError as error:  # of what was still in its buffer
            self._lost, self._error = max(self._lost, 1), str(error)
        if self._lost:
            lost, self._lost = self._lost, 0
            print(f"{self.baseFilename} lacks {lost} lines or more: {self._error}", file=sys.stderr)


@contextlib.contextmanager
def _only_handlers(handlers: list[logging.Handler]) -> Iterator[None]:
    """Gives the root logger these handlers, and all records to the root logger."""
    root = logging.getLogger()
    root_before = (root.handlers[:], root.level)
    # These two libraries print to the terminal by handlers of their own.
    loggers = [absl_logging.get_absl_logger(), logging.getLogger("tensorflow")]
    before = [(logger.handlers[:], logger.propagate) for logger in loggers]
    root.handlers = handlers
    root.setLevel(logging.INFO)
    for logger in loggers:
        logger.handlers, logger.propagate = [], True
    try:
        yield
    finally:
        root.handlers = root_before[0]
        root.setLevel(root_before[1])
        for logger, (own, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = own, propagate


class _ProgressHandler(logging.Handler):
    """Passes on the records that come from this project's own files."""

    def __init__(self, on_progress: Callable[[str], None]):
        super().__init__(logging.INFO)
        self._on_progress = on_progress

    def emit(self, record: logging.LogRecord) -> None:
        if record.pathname.startswith(_OWN_FOLDER) and record.levelno >= logging.INFO:
            self._on_progress(record.getMessage().splitlines()[0] if record.getMessage() else "")
