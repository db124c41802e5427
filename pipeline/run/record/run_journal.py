"""Keeps a run's record true from its first moment to its last."""

import dataclasses
import datetime
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary
from mtlx.pipeline.run.run_folder import RunFolder


class RunJournal:
    """Writes ``run.json`` when a run begins, after each node and at the end.

    So a run that fails, is stopped or is killed leaves what it had done, too. A record that cannot
    be written, say because the disk is full, is said in the log and stops nothing: what is known
    of a run must not decide how it ends.

    Args:
        folder: of the run.
        run_id: of the run.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder = RunFolder(folder)
        self._started = time.monotonic()
        self._begun = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self._about: Mapping[str, Any] = {}
        self._running: str | None = None
        self._nodes: tuple[Any, ...] = ()
        # A signal's thread may end the run while the main thread writes.
        self._lock = threading.RLock()
        self._ended = False
        self.run_id = run_id

    def begin(self, about: Mapping[str, Any]) -> None:
        """Notes that the run is under way.

        Args:
            about: what it is made of; see `mtlx.pipeline.run.record.run_record.describe_run`.
        """
        self._about = about
        self._note(Outcome.UNDER_WAY, {"process": os.getpid()})

    def node(self, nodes: Sequence[Any], running: str | None = None) -> None:
        """Notes the nodes that have ended, and the one that starts."""
        self._nodes, self._running = tuple(nodes), running
        at = None if running is None else f"at {running}"
        self._note(Outcome.UNDER_WAY, {"process": os.getpid(), "at": at})

    def failed(self, where: str, message: str, pushed_to: str | None = None) -> None:
        """Notes that the run failed.

        Args:
            where: at which node, or before or after which.
            message: why.
            pushed_to: folder of the version that the run pushed before that.
        """
        words = where if where.startswith(("after ", "before ")) else f"at {where}"
        more = {"at": words, "message": message, "pushed_to": pushed_to}
        self._end(Outcome.FAILED, more)

    def stopped(self) -> None:
        """Notes that a person stopped the run; does nothing where it had ended."""
        at = "before the first node"
        if self._running is not None:
            at = f"at {self._running}"
        elif self._nodes:
            at = f"after {self._nodes[-1].node_id}"
        self._end(Outcome.STOPPED, {"at": at, "pushed_to": None})

    def finished(self, record: Mapping[str, Any], blessed: bool) -> None:
        """Notes how the run ended.

        Raises:
            OSError: the record cannot be written. Here it is raised: a run is not finished that
                nobody will know of.
        """
        with self._lock:
            outcome = Outcome.BLESSED if blessed else Outcome.NOT_BLESSED
            self._write(outcome, record)
            self._ended = True

    def _end(self, outcome: Outcome, more: Mapping[str, Any]) -> None:
        with self._lock:
            self._note(outcome, more)
            self._ended = True

    def _note(self, outcome: Outcome, more: Mapping[str, Any]) -> None:
        nodes = [dataclasses.asdict(node) for node in self._nodes]
        record = {"nodes": nodes, "blessed": False, "folder": str(self._folder.path), **more}
        try:
            with self._lock:
                if not self._ended:
                    self._write(outcome, record)
        except OSError as error:
            logging.warning("the record of the run cannot be written: %s", error)

    def _write(self, outcome: Outcome, more: Mapping[str, Any]) -> None:
        seconds = round(time.monotonic() - self._started, 3)
        record = {
            "run_id": self.run_id, "outcome": outcome.value, "begun": self._begun,
            "seconds": seconds, **self._about, **more,
        }  # fmt: skip
        self._folder.write_record(record)
        self._folder.write_summary(RunSummary.of_record(self.run_id, record).to_values())
