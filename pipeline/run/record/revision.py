"""The git revision of an experiment file, and how the nodes of a run are told of it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mtlx.components.model_pusher.serving_folder.push_lineage import REVISION_VARIABLE


def git_revision(folder: Path) -> dict[str, Any] | None:
    """Revision of the repository that a folder belongs to.

    Returns:
        ``revision`` and ``changed``, whether something there is not committed; None outside of a
        repository.
    """
    revision = _output(["git", "-C", str(folder), "rev-parse", "HEAD"])
    if revision is None:
        return None
    changed = _output(["git", "-C", str(folder), "status", "--porcelain"])
    return {"revision": revision, "changed": bool(changed)}


@contextlib.contextmanager
def told_revision(git: Mapping[str, Any] | None) -> Iterator[None]:
    """Tells the nodes that run meanwhile of which revision the experiment file is.

    On a cluster the image, or ``kubeflow.nodes``, says so.

    Args:
        git: of `git_revision`; None leaves the environment as it is.
    """
    if git is None:
        yield
        return
    before = os.environ.get(REVISION_VARIABLE)
    os.environ[REVISION_VARIABLE] = git["revision"] + ("+changed" if git["changed"] else "")
    try:
        yield
    finally:
        if before is None:
            del os.environ[REVISION_VARIABLE]
        else:
            os.environ[REVISION_VARIABLE] = before


def _output(command: list[str]) -> str | None:
    """What a command prints; None where it is not there, or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
