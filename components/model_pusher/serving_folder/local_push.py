"""A push into a folder of this machine, or of a volume that it mounts.

The model is copied into `STATE_FOLDER` inside the serving folder, which is on the same file system
and no number, so that no server looks into it; it is written to the disk, compared with its
digest, and only then renamed to its number. A reader sees a version as a whole, or not at all;
whenever the push is killed, what stays is a copy under a name that nobody reads.

`STATE_FOLDER` holds

- ``lock``, held while a number is chosen and given: two pushes at once get two numbers. Where a
  file system has no locks, the rename still fails on a folder that holds a version;
- ``highest``, the largest number that was ever given: written before the rename, so that a number
  is never given twice, even if the newest version is removed;
- a folder and a lock of each push that is under way. The next push removes those whose lock
  nobody holds: their process is dead.
"""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator

from mtlx.components.model_pusher.model_files import copy_model, model_digest, same_model
from mtlx.components.model_pusher.serving_folder.files import LocalFiles
from mtlx.components.model_pusher.serving_folder.folder_lock import locked, open_lock, take
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.pushed_version import PushedVersion, PushFailed
from mtlx.components.model_pusher.serving_folder.version_number import next_number, version_numbers

#: Folder inside the serving folder for what no server may see.
STATE_FOLDER = ".mtlx-push"


class LocalPush:
    """Pushes into one serving folder.

    Args:
        base: the serving folder; made by the first push.
    """

    def __init__(self, base: str):
        self._base = base
        self._state = os.path.join(base, STATE_FOLDER)
        self._lock = os.path.join(self._state, "lock")
        self._highest = os.path.join(self._state, "highest")

    def push(self, model: str, order: PushOrder) -> PushedVersion:
        """Makes a model the newest version, unless it is that already.

        Args:
            model: path or URI of a SavedModel.
            order: what is noted beside it, and done before it is seen.

        Returns:
            The newest version, which holds this model: read again, after it got its name.

        Raises:
            PushFailed: what was written or read is not the model; no version holds it.
            NoNumberLeft: versions have used up all numbers.
            OSError: the model cannot be read, or the serving folder not be written.
        """
        os.makedirs(self._state, exist_ok=True)
        digest = model_digest(model)
        with self._staging() as staged:
            before = self.newest()
            if before is not None and same_model(before.path, model, digest):
                return before
            copied = copy_model(model, staged)
            if copied != digest or model_digest(staged) != digest:
                raise PushFailed(
                    f"{model}: what was copied to {staged} is not what was read; the model was "
                    "changed in between, or the disk is broken"
                )
            order.record(model, digest).save(staged)
            _to_disk(staged)
            with locked(self._lock):
                newest = self.newest()
                changed = newest is not None and newest != before
                if newest is not None and changed and same_model(newest.path, model, digest):
                    return newest
                order.before(newest)
                number = self._rename(staged)
            return self._checked(number, staged, digest)

    def newest(self) -> PushedVersion | None:
        """The version with the largest number."""
        numbers = version_numbers(LocalFiles().names(self._base))
        if not numbers:
            return None
        number = max(numbers)
        return PushedVersion(number, os.path.join(self._base, numbers[number]), False)

    @contextlib.contextmanager
    def _staging(self) -> Iterator[str]:
        """A folder for the copy, which is gone afterwards; those of dead processes go first."""
        name = os.path.join(self._state, uuid.uuid4().hex)
        with locked(self._lock) as held:
            if held:
                self._remove_leftovers()
            guard = open_lock(f"{name}.lock")
            take(guard, wait=False)
        with guard:
            try:
                yield name
            finally:
                shutil.rmtree(name, ignore_errors=True)
                if not os.path.exists(name):  # else the next push sees that the guard is free
                    os.unlink(guard.name)

    def _remove_leftovers(self) -> None:
        for name in os.listdir(self._state):
            folder, kind = os.path.splitext(os.path.join(self._state, name))
            if kind == ".lock":
                with open_lock(folder + kind) as guard:
                    if take(guard, wait=False):
                        LocalFiles().remove(folder)
                        os.unlink(guard.name)

    def _rename(self, staged: str) -> int:
        """Gives the copy the next number, which it returns; the lock is held."""
        number = self._largest()
        while True:
            number = next_number([number])
            self._remember(number)
            try:
                os.rename(staged, os.path.join(self._base, str(number)))
            except OSError as error:
                # A program that does not ask for the lock took the number.
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
            else:
                _sync(self._base)
                return number

    def _largest(self) -> int:
        """The largest number that is, or ever was, a version's; 0 before the first."""
        numbers = list(version_numbers(LocalFiles().names(self._base)))
        try:
            with open(self._highest, encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            return max(numbers, default=0)
        if not text.strip().isdecimal():
            raise PushFailed(
                f"{self._highest} holds {text[:40]!r}, but should hold the largest number that a "
                "version ever had: write it there, or remove the file to go on after the largest "
                "version that there is"
            )
        return max([*numbers, int(text)])

    def _remember(self, number: int) -> None:
        LocalFiles().write(f"{self._highest}.new", [str(number).encode()])
        os.replace(f"{self._highest}.new", self._highest)
        _sync(self._state)

    def _checked(self, number: int, staged: str, digest: str) -> PushedVersion:
        """Reads the version again; one that is not the model is taken back."""
        path = os.path.join(self._base, str(number))
        if model_digest(path) != digest:
            os.rename(path, staged)
            raise PushFailed(f"{path} did not hold what was written to it, and was taken back")
        return PushedVersion(number, path, True)


def _to_disk(folder: str) -> None:
    """Has the names in a folder written to the disk, as its files' contents are already."""
    for place, _, _ in os.walk(folder, topdown=False):
        _sync(place)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
