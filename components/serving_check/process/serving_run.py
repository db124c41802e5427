"""Starts the process that serves the model, and reads what it notes down."""

import dataclasses
import json
import os
import pickle
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mtlx.components.serving_check.process import serving_process
from mtlx.components.serving_check.process.isolated_python import isolated_python

#: Seconds between two looks at the journal.
_LOOK = 0.05
#: Characters of what the process said on its way out.
_LAST_WORDS = 400


@dataclasses.dataclass(frozen=True)
class Work:
    """What the process is to do.

    Attributes:
        model: folder of the SavedModel, on this machine.
        served: folder of the one that serves now; None without one.
        examples: N serialised `tf.Example`s.
        columns: the same rows as one array per feature, ``(N,)`` or ``(N, L)``; texts as objects.
        rows: sizes of requests whose latency is measured.
        calls: timed calls of each.
        limits: of latency, `LatencyLimit` as mappings.
        request: names of the columns that a request has once, as its signature takes them; empty
            where the contract does not say which.
        hostile: requests that must do no harm: what it is, the signature, and the inputs by name.
    """

    model: str
    served: str | None
    examples: list[bytes]
    columns: dict[str, np.ndarray]
    rows: list[int]
    calls: int
    limits: list[dict[str, Any]]
    request: list[str]
    hostile: list[tuple[str, str, dict[str, np.ndarray]]]


@dataclasses.dataclass(frozen=True)
class Served:
    """What the process left.

    Attributes:
        entries: lines of its journal.
        ended: what ended it before it was done, in words; None where it came to its end.
        seconds: wall time, its start included.
    """

    entries: list[dict[str, Any]]
    ended: str | None
    seconds: float

    def last(self, key: str, **values: Any) -> dict[str, Any] | None:
        """The last entry with a key, and with these values; None without one."""
        for entry in reversed(self.entries):
            if key in entry and all(entry.get(name) == value for name, value in values.items()):
                return entry
        return None

    def all(self, key: str) -> list[dict[str, Any]]:
        """The entries with a key."""
        return [entry for entry in self.entries if key in entry]


def serve(work: Work, timeout_seconds: float) -> Served:
    """Serves a model in a process of its own, until it is done, dead, or silent for too long.

    Args:
        work: what it is to do.
        timeout_seconds: longest silence.

    Raises:
        OSError: the process cannot be started, or this machine has no room for its work.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mtlx-serving-check-") as place:
        folder = Path(place)
        journal, output = folder / "journal.jsonl", folder / "output.txt"
        with open(folder / "work.pickle", "wb") as file:
            pickle.dump(dataclasses.asdict(work), file)
        command = isolated_python(
            serving_process.__file__, str(folder / "work.pickle"), str(journal)
        )
        with open(output, "wb") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=_environment(),
                cwd=place,
            )  # fmt: skip
            try:
                hangs = _wait(process, journal, timeout_seconds)
            finally:
                process.kill()
                code = process.wait()
        entries = _read(journal)
        ended = _end(entries, code, hangs, timeout_seconds, output)
        return Served(entries, ended, time.monotonic() - started)


def _environment() -> dict[str, str]:
    """This process' own, without GPUs: their memory is taken, and a server may have none."""
    # TFX asks for Keras 2, which no server has.
    left_out = ("PYTHON", "TF_USE_LEGACY_KERAS")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **kept, "CUDA_VISIBLE_DEVICES": "-1"}


def _wait(process: "subprocess.Popen[bytes]", journal: Path, timeout_seconds: float) -> bool:
    """Waits for the process; whether it was silent for too long."""
    size, heard = -1, time.monotonic()
    while True:
        try:
            process.wait(_LOOK)
            return False
        except subprocess.TimeoutExpired:
            now = journal.stat().st_size if journal.exists() else 0
            if now != size:
                size, heard = now, time.monotonic()
            elif time.monotonic() - heard > timeout_seconds:
                return True


def _read(journal: Path) -> list[dict[str, Any]]:
    """The whole lines of the journal; the last one may be cut."""
    if not journal.exists():
        return []
    lines = journal.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def _end(
    entries: list[dict[str, Any]], code: int, hangs: bool, timeout_seconds: float, output: Path
) -> str | None:
    """Why the process did not come to its end, and at which step; None where it did."""
    if code == 0:
        return None
    steps = [entry["begin"] for entry in entries if "begin" in entry]
    step = f"while {steps[-1]}" if steps else "before TensorFlow was there"
    if hangs:
        return f"the process said nothing for {timeout_seconds:g} s {step}"
    how = f"ended with code {code}"
    if code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
    words = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = f": {words[-1][-_LAST_WORDS:]}" if words else ""
    return f"the process {how} {step}{said}"
