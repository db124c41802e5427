"""A push to a URI: a bucket, where a folder has no name of its own that could be changed.

A version there is the objects whose names begin with its number, and they come one by one. What
keeps a reader from a part is the order. All is copied under `STATE_FOLDER`, which is no number, and
compared with its digest; then each object gets its place (on Google Cloud Storage a copy on the
server's side), ``saved_model.pb`` as the last. TensorFlow Serving may see the number before that,
but a folder without ``saved_model.pb`` is no SavedModel to it: loading fails as a whole, and is
tried again, by default five times a minute apart. It loads all of a version, or nothing.

Numbers: a push that wants one writes an object of its own below ``claims/NUMBER/`` and lists that
folder; whoever sees another's leaves the number to no one and tries the next. Each writes before
it lists, and such stores show what was written to every later listing; so two pushes cannot both
see themselves alone. Claims stay, and so does the memory of every number that was ever given.

Left-overs: there are no locks, so each push writes down its process (`PushingProcess`). What one
left that is dead is removed by the next push: its copy, and a number without ``saved_model.pb``.
"""

import dataclasses
import json
import random
import time
import uuid

from absl import logging

from mtlx.components.model_pusher.model_files import (
    RECORD_FILE,
    copy_model,
    is_model,
    model_digest,
    model_files,
    same_model,
)
from mtlx.components.model_pusher.pushing_process import PushingProcess
from mtlx.components.model_pusher.serving_folder.files import RemoteFiles
from mtlx.components.model_pusher.serving_folder.local_push import STATE_FOLDER
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.pushed_version import PushedVersion, PushFailed
from mtlx.components.model_pusher.serving_folder.version_number import next_number, version_numbers

_CLAIM_TRIES = 20
_PROCESS_FILE = "process.json"


class ObjectPush:
    """Pushes below one URI.

    Args:
        base: URI of the serving folder.
    """

    def __init__(self, base: str):
        self._base = base.rstrip("/")
        self._copies = f"{self._base}/{STATE_FOLDER}/copies"
        self._claims = f"{self._base}/{STATE_FOLDER}/claims"
        self._files = RemoteFiles()

    def push(self, model: str, order: PushOrder) -> PushedVersion:
        """Makes a model the newest version, unless it is that already.

        Args:
            model: path or URI of a SavedModel.
            order: what is noted beside it, and done before it is seen.

        Returns:
            The newest version, which holds this model: read again, after it got its place.

        Raises:
            PushFailed: what was written or read is not the model; no version holds it.
            NoNumberLeft: versions have used up all numbers.
            OSError: the model cannot be read, or the store not be written.
        """
        self._remove_leftovers()
        digest = model_digest(model)
        newest = self.newest()
        if newest is not None and same_model(newest.path, model, digest):
            return newest
        name = uuid.uuid4().hex
        copy = f"{self._copies}/{name}"
        self._write_process(f"{copy}/{_PROCESS_FILE}")
        try:
            staged = f"{copy}/model"
            if copy_model(model, staged) != digest or model_digest(staged) != digest:
                raise PushFailed(
                    f"{model}: what was copied to {staged} is not what was read; the model was "
                    "changed in between, or the store is broken"
                )
            order.record(model, digest).save(staged)
            number = self._claim(name)
            order.before(self.newest())
            return self._publish(staged, number, digest)
        finally:
            self._give_up(copy)

    def newest(self) -> PushedVersion | None:
        """The whole version with the largest number."""
        numbers = version_numbers(self._files.names(self._base))
        for number in sorted(numbers, reverse=True):
            path = f"{self._base}/{numbers[number]}"
            if is_model(self._files.names(path)):
                return PushedVersion(number, path, False)
        return None

    def _claim(self, name: str) -> int:
        """A number that is this push's alone."""
        for _ in range(_CLAIM_TRIES):
            used = [*version_numbers(self._files.names(self._base))]
            used += version_numbers(self._files.names(self._claims))
            number = next_number(used)
            self._write_process(f"{self._claims}/{number}/{name}.json")
            if self._files.names(f"{self._claims}/{number}") == [f"{name}.json"]:
                return number
            time.sleep(random.uniform(0.0, 1.0))
        raise PushFailed(
            f"{self._base}: {_CLAIM_TRIES} numbers were wanted by other pushes at the same time; "
            "try again"
        )

    def _publish(self, staged: str, number: int, digest: str) -> PushedVersion:
        path = f"{self._base}/{number}"
        try:
            for name in (RECORD_FILE, *model_files(staged)):
                self._files.rename(f"{staged}/{name}", f"{path}/{name}")
            if model_digest(path) != digest:
                raise PushFailed(f"{path} did not hold what was written to it, and was removed")
        except BaseException:
            self._give_up(path)
            raise
        return PushedVersion(number, path, True)

    def _give_up(self, folder: str) -> None:
        """Removes what this push wrote; where the store does not let it, the next push does."""
        try:
            self._files.remove(folder)
        except OSError as error:
            logging.warning("%s stays until the next push: %s", folder, error)

    def _write_process(self, path: str) -> None:
        text = json.dumps(dataclasses.asdict(PushingProcess.this()))
        self._files.write(path, [text.encode()])

    def _is_dead(self, path: str) -> bool:
        """Whether the process that is written down in a file will not go on."""
        try:
            return PushingProcess(**json.loads(b"".join(self._files.read(path)))).is_dead
        except FileNotFoundError:  # it just ended, and removed what it had written
            return False

    def _remove_leftovers(self) -> None:
        for name in self._files.names(self._copies):
            copy = f"{self._copies}/{name}"
            if self._is_dead(f"{copy}/{_PROCESS_FILE}"):
                self._files.remove(copy)
        numbers = version_numbers(self._files.names(self._base))
        for number, name in numbers.items():
            claims = self._files.names(f"{self._claims}/{number}")
            path = f"{self._base}/{name}"
            if not claims or is_model(self._files.names(path)):
                continue  # another program's, or whole
            if all(self._is_dead(f"{self._claims}/{number}/{claim}") for claim in claims):
                self._files.remove(path)
