"""Removes a version from a serving folder: no reader finds a part of it."""

import os
import shutil
import uuid

from mtlx.components.model_pusher.serving_folder.files import files_of, is_remote
from mtlx.components.model_pusher.serving_folder.local_push import STATE_FOLDER
from mtlx.components.model_pusher.serving_folder.versions import NoVersion, Version, Versions

#: What is being removed, in `STATE_FOLDER`.
_REMOVED = "removed"


def remove_version(base: str, version: Version) -> None:
    """Removes a version that does not serve.

    A folder of this machine is renamed to where no server looks, at one stroke. Elsewhere its
    objects go one by one; a server that has the version loaded keeps it, and one that has not
    does not load it, since a larger number is there.

    Args:
        base: path or URI of the serving folder.
        version: of it.

    Raises:
        NoVersion: it is the newest by now, or the only one.
        OSError: it cannot be removed; the next call removes what was begun.
    """
    serving = Versions(base).serving
    if serving is None or version.number >= serving.number:
        raise NoVersion(f"{base}: version {version.number} serves, and is not removed")
    if is_remote(base):
        files_of(base).remove(version.path)
        return
    removed = os.path.join(base, STATE_FOLDER, _REMOVED)
    os.makedirs(removed, exist_ok=True)
    os.rename(version.path, os.path.join(removed, uuid.uuid4().hex))
    shutil.rmtree(removed)


def remove_leftovers(base: str) -> None:
    """Finishes a removal that was killed."""
    if not is_remote(base):
        files_of(base).remove(os.path.join(base, STATE_FOLDER, _REMOVED))


def kept_versions(versions: Versions, keep: int) -> list[Version]:
    """The newest ones, that which serves, and the one that a roll back would go to.

    Args:
        versions: all.
        keep: so many of the newest.
    """
    numbers = {version.number for version in versions.all[-keep:]}
    numbers |= {one.number for one in (versions.serving, versions.before) if one is not None}
    return [version for version in versions.all if version.number in numbers]
