"""What each worker writes of a checkpoint, and how the chief learns that it is written."""

import json
import os
import threading
from collections.abc import Mapping, Sequence

import tensorflow as tf

from mtlx.trainer.distribution.share import Share
from mtlx.trainer.training.stored.sharded_array import Kept, ShardedArray
from mtlx.trainer.training.stored.stored_array import StoredArray

#: Seconds between two looks for what other workers have yet to write.
_PAUSE = 0.05

Groups = Mapping[str, Sequence[Kept]]


class NotWritten(RuntimeError):
    """Another worker's part of a checkpoint did not come."""


class ShardParts:
    """The workers' parts of a training's checkpoints, in a folder that all of them reach.

    A worker writes its rows into a folder of its own, and then a note there that says in which
    files they are, under the checkpoint's number. The chief writes the checkpoint, with all files'
    names, once all notes of its number are there. So it counts when all parts are written, or the
    one before does; and what that needs is not removed before the next one is asked for.

    Args:
        folder: of the checkpoint.
        share: of this worker.
    """

    def __init__(self, folder: str, share: Share) -> None:
        self._folder, self._share = folder, share
        self._given_up = threading.Event()
        self._number = 0

    @property
    def folder(self) -> str:
        """For this worker's files."""
        return self._of(self._share.index)

    def begin(self) -> None:
        """Removes notes of a process that was killed; before all workers meet."""
        if tf.io.gfile.exists(self.folder):
            for name in tf.io.gfile.listdir(self.folder):
                if name.startswith("part-"):
                    tf.io.gfile.remove(os.path.join(self.folder, name))

    def next(self) -> int:
        """Number of a further checkpoint, the same on all workers."""
        self._number += 1
        return self._number

    def note(self, number: int, groups: Groups) -> None:
        """Says where this worker's part of a checkpoint is, once that is written."""
        records = {
            f"{name}/{index}": one.record()
            for name, group in groups.items()
            for index, one in enumerate(group)
            if isinstance(one, StoredArray)
        }
        tf.io.gfile.makedirs(self.folder)
        path = self._note(self._share.index, number)
        with tf.io.gfile.GFile(f"{path}.new", "w") as file:
            file.write(json.dumps(records))
        tf.io.gfile.rename(f"{path}.new", path, overwrite=True)
        if tf.io.gfile.exists(self._note(self._share.index, number - 1)):
            tf.io.gfile.remove(self._note(self._share.index, number - 1))

    def joined(self, number: int, groups: Groups) -> dict[str, list[Kept]]:
        """The groups with all workers' parts in the place of the chief's own.

        Waits until they are written.

        Raises:
            NotWritten: it was given up.
        """
        others = [self._wait(index, number) for index in range(1, self._share.count)]

        def whole(key: str, own: Kept) -> Kept:
            if not isinstance(own, StoredArray):
                return own
            records = enumerate((note[key] for note in others), start=1)
            parts = (StoredArray.of(self._of(index), record) for index, record in records)
            return ShardedArray(self._folder, (own, *parts))

        return {
            name: [whole(f"{name}/{index}", one) for index, one in enumerate(group)]
            for name, group in groups.items()
        }

    def give_up(self) -> None:
        """Lets `joined` wait no longer: another worker is gone, or this one ends."""
        self._given_up.set()

    def _wait(self, index: int, number: int) -> Mapping[str, Mapping[str, object]]:
        path = self._note(index, number)
        while not tf.io.gfile.exists(path):
            if self._given_up.wait(_PAUSE):
                raise NotWritten(f"worker {index} has not written its part {path}")
        with tf.io.gfile.GFile(path) as file:
            found: Mapping[str, Mapping[str, object]] = json.loads(file.read())
        return found

    def _of(self, index: int) -> str:
        return os.path.join(self._folder, f"shard_{index}")

    def _note(self, index: int, number: int) -> str:
        return os.path.join(self._of(index), f"part-{number}.json")
