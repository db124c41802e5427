"""One run at a time in a pipeline root."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

#: File in a pipeline root that a run holds.
LOCK_FILE = "run.lock"


class PipelineRootInUse(RuntimeError):
    """Another run works in the same pipeline root."""


@contextlib.contextmanager
def run_lock(pipeline_root: Path) -> Iterator[None]:
    """Holds the pipeline root for this process.

    The operating system gives the lock back when the process ends, however it ends, so a killed
    run never blocks the next one.

    Args:
        pipeline_root: folder; made if it does not exist.

    Raises:
        PipelineRootInUse: another process holds it; the message names that process.
        OSError: the folder cannot be made or written.
    """
    pipeline_root.mkdir(parents=True, exist_ok=True)
    path = pipeline_root / LOCK_FILE
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise PipelineRootInUse(
                f"{pipeline_root}: another run is at work here ({_holder(file.read())}). "
                "Wait for its end, stop it, or give this run a folder of its own with "
                "--set run.pipeline_root=..."
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}))
        file.flush()
        yield


def process_at_work(pipeline_root: Path) -> int | None:
    """Number of the process that holds a pipeline root; None where it is free.

    A run that starts at this moment is not disturbed: the lock is tried only where the process
    that wrote its name last lives, which is either at work or has another one's number.
    """
    try:
        with open(pipeline_root / LOCK_FILE, encoding="utf-8") as file:
            text = file.read()
            process = int(json.loads(text)["pid"]) if text else None
            if process is not None and not os.path.exists(f"/proc/{process}"):
                return None
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return process
    except (OSError, ValueError, KeyError):
        return None
    return None


def _holder(text: str) -> str:
    """Describes the lock's holder; it may have been read before the holder wrote its name."""
    if not text:
        return "just started"
    holder = json.loads(text)
    return f"process {holder['pid']}, since {holder['since']}"
