"""Folders of local runs: of an old one its record stays, which the history is made of."""

from collections.abc import Iterator
from pathlib import Path

from mtlx.pipeline.cleaning.history import History
from mtlx.pipeline.cleaning.needed import Needed
from mtlx.pipeline.run.run_folder import RunFolder

#: Stay when a run's folder is stripped: the record with its summary, without which the list of all
#: runs would read every record, and the experiment as it was run.
_KEPT = ("run.json", "summary.json", "experiment.yaml", "experiment.given.yaml")


def old_run_folders(
    root: Path, history: History, stays: Needed, oldest: float
) -> Iterator[tuple[RunFolder, int]]:
    """Folders with something to remove, and its bytes.

    Those of kept runs, of the latest one that ended well, of other pipelines in the same root and
    of runs that began later than the oldest kept one (they failed before their first node) stay.

    Args:
        root: pipeline root.
        history: of the pipeline.
        stays: what is kept.
        oldest: when the oldest kept run began, in seconds since 1970.
    """
    latest = RunFolder.latest(root)
    kept = {run.run_id for run in stays.runs} | history.foreign_runs
    kept |= {latest.path.resolve().name} if latest else set()
    known = {run.run_id for run in history.runs}
    for path in sorted(RunFolder.of(root, "x").path.parent.glob("*")):
        if path.is_symlink() or not path.is_dir() or path.name in kept:
            continue
        if path.name not in known and path.stat().st_mtime >= oldest:
            continue
        size = sum(file.stat().st_size for file in _going(path))
        if size or not any(path.iterdir()):
            yield RunFolder(path), size


def strip_run_folder(path: Path) -> None:
    """Removes all but the record; a folder that is empty then goes, too.

    Raises:
        OSError: a file cannot be removed.
    """
    for file in _going(path):
        file.unlink()
    for folder in sorted((p for p in path.rglob("*") if p.is_dir()), reverse=True):
        folder.rmdir()
    if not any(path.iterdir()):
        path.rmdir()


def _going(path: Path) -> list[Path]:
    return [
        file
        for file in path.rglob("*")
        if not file.is_dir() and not (file.parent == path and file.name in _KEPT)
    ]
