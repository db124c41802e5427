"""Digests of files that need not be read again while the file system says that they are the same.

A window's run looks whether the files of old spans changed. Without this it would read a week of
logs every day to tell.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping

from tfx.dsl.io import fileio

from mtlx.components.log_example_gen.readers.files import content_digest, is_remote

#: Beside the quarantine: one small file per span.
DIGESTS_FOLDER = "digests"
#: A file that changed less than so long ago may change again within the same tick of the clock
#: that its times are taken from; nothing is remembered of it. Network file systems tick by seconds.
SETTLED_SECONDS = 2.0


def remembered_digest(files: list[str], folder: str) -> str:
    """The `content_digest` of files, from memory where none of them changed.

    A file is the same where its size and the times of the last change of its content and of its
    entry are (``mtime_ns`` and ``ctime_ns``). The second cannot be set by hand: it tells a file
    that was replaced by one of the same size and time. Of other file systems than this machine's
    the content is not digested, and nothing is remembered.

    Args:
        files: of one span.
        folder: of the memory; made where it is needed. A file in it that cannot be read is as
            none.

    Raises:
        OSError: a file of the logs cannot be read, or the memory cannot be written.
    """
    local = [file for file in files if not is_remote(file)]
    if not local:
        return content_digest(files)
    name = hashlib.blake2b("\0".join(files).encode(errors="surrogateescape"), digest_size=16)
    path = os.path.join(folder, f"{name.hexdigest()}.json")
    now, before = time.time(), _states(local)
    known = _read(path)
    if known.get("files") == before and isinstance(known.get("digest"), str):
        return str(known["digest"])
    digest = content_digest(files)
    changed = max(ns for state in before.values() for ns in state[1:]) / 1e9
    if changed + SETTLED_SECONDS < now and _states(local) == before:
        _write(path, {"files": before, "digest": digest})
    return digest


def _states(files: list[str]) -> dict[str, list[int]]:
    """Size and times of files, by path."""
    found = {}
    for file in files:
        stat = os.stat(file)
        shown = file.encode(errors="surrogateescape").decode(errors="backslashreplace")
        found[shown] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    return found


def _read(path: str) -> Mapping[str, object]:
    try:
        if not fileio.exists(path):
            return {}
        with fileio.open(path) as file:
            known = json.loads(file.read())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(path: str, known: Mapping[str, object]) -> None:
    """Whole or not at all: another run may read it."""
    fileio.makedirs(os.path.dirname(path))
    temporary = f"{path}.{os.getpid()}.new"
    with fileio.open(temporary, "w") as file:
        file.write(json.dumps(known))
    fileio.rename(temporary, path, overwrite=True)
