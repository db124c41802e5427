"""Which pushed versions may have made the scores of serving logs."""

import datetime
import os
from collections.abc import Sequence

from mtlx.components.log_example_gen.readers.files import is_remote
from mtlx.components.model_pusher.serving_folder.versions import Version, Versions


def versions_by_then(base: str, files: Sequence[str], span: int | None) -> list[Version]:
    """Versions that served no later than the logs were written, the newest last.

    Left out is a version that was made of the span itself, or of a later one, since it came of
    these logs' successors; and one that was pushed after the logs were last changed. So a run
    that is repeated after its own push finds the version that it found before.

    Args:
        base: the serving folder, a path or URI; need not exist.
        files: the serving logs.
        span: that they are of; None where they do not come in spans.

    Raises:
        OSError: the folder cannot be read.
        ValueError: a record there is no JSON.
    """
    changed = _last_change(files)
    return [
        version
        for version in Versions(base).all
        if not (_is_made_of(version, span) or _is_pushed_after(version, changed))
    ]


def _last_change(files: Sequence[str]) -> float | None:
    """Of files of this machine, in seconds; other file systems have times of their own."""
    local = [file for file in files if not is_remote(file)]
    return max((os.path.getmtime(file) for file in local), default=None)


def _is_made_of(version: Version, span: int | None) -> bool:
    lineage = version.record.lineage if version.record else None
    if lineage is None or span is None:
        return False
    numbers = [note.number for note in (*lineage.trained_on, *lineage.tested_on)]
    return max(numbers, default=-1) >= span


def _is_pushed_after(version: Version, changed: float | None) -> bool:
    if changed is None or version.record is None:
        return False
    return datetime.datetime.fromisoformat(version.record.pushed_at).timestamp() > changed
