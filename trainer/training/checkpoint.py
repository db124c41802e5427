"""Checkpoints under the digest of what is trained, so that a killed training goes on."""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from mtlx.trainer.training.stored.archive import write_archive
from mtlx.trainer.training.stored.sharded_array import Kept, stored_of

#: Arrays by the name of their group, some of which may lie on disk beside the checkpoint.
Arrays = Mapping[str, Sequence[Kept]]


def training_digest(*parts: str) -> str:
    """Digest of everything that determines a training: settings and input URIs."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class CheckpointFolder:
    """One checkpoint of one training, replaced whole or not at all.

    It lies under a digest of settings and inputs instead of the run's id: the next run with the
    same settings and inputs finds it, another training never does.

    Args:
        root: folder for the checkpoints of a pipeline.
        digest: of the training.
    """

    def __init__(self, root: str, digest: str) -> None:
        self._folder = os.path.join(root, digest)
        self._path = os.path.join(self._folder, "checkpoint.npz")
        self._not_kept = os.path.join(self._folder, "not_kept.json")
        self._precision = os.path.join(self._folder, "precision.json")

    @property
    def folder(self) -> str:
        """In which it lies; there may be none yet."""
        return self._folder

    @property
    def exists(self) -> bool:
        """Whether there is something to go on from, as long as it can be read."""
        return bool(tf.io.gfile.exists(self._path))

    def save(self, arrays: Arrays, state: Mapping[str, Any]) -> None:
        """Writes lists of arrays by name and a state that JSON can hold.

        Args:
            arrays: of those that lie in this folder already, it is written where.
            state: see above.
        """
        tf.io.gfile.makedirs(self._folder)
        flat: dict[str, np.ndarray] = {}
        stored: dict[str, dict[str, Any]] = {}
        for name, group in arrays.items():
            for index, array in enumerate(group):
                if isinstance(array, np.ndarray):
                    flat[f"{name}/{index}"] = array
                else:
                    stored[f"{name}/{index}"] = array.record()
        texts = {"state": state, "stored": stored}
        written = {name: np.array(json.dumps(value)) for name, value in texts.items()}
        write_archive(self._path, {**written, **flat})

    def load(self) -> tuple[dict[str, list[Kept]], dict[str, Any]] | None:
        """Returns what was saved last, or None.

        A damaged file counts as none: training anew costs time, and stopping would cost more.
        """
        if not self.exists:
            return None
        try:
            return self._read()
        except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError) as error:
            logging.warning("checkpoint %s can't be read, training anew: %s", self._path, error)
            return None

    def _read(self) -> tuple[dict[str, list[Kept]], dict[str, Any]]:
        groups: dict[str, dict[int, Kept]] = {}
        with tf.io.gfile.GFile(self._path, "rb") as file, np.load(file) as archive:
            # Those of an earlier release hold all arrays themselves.
            texts = {name: str(archive[name]) for name in ("state", "stored") if name in archive}
            found = {name: archive[name] for name in archive.files if name not in texts}
        for key, record in json.loads(texts.get("stored", "{}")).items():
            found[key] = stored_of(self._folder, record)
        for key, array in found.items():
            name, _, index = key.rpartition("/")
            groups.setdefault(name, {})[int(index)] = array
        state = json.loads(texts["state"])
        return {name: [group[i] for i in sorted(group)] for name, group in groups.items()}, state

    def note_not_kept(self, splits: Sequence[str]) -> None:
        """Remembers which splits are read anew in every epoch.

        The order of the batches depends on that, so that a resumed training must not keep them
        either, however much memory it has.
        """
        self._note(self._not_kept, list(splits))

    def not_kept(self) -> list[str]:
        """What `note_not_kept` was given last; none where it never was."""
        return _noted(self._not_kept) or []

    def note_precision(self, precision: str) -> None:
        """Remembers what a training computes in that chose it by its machine.

        A resumed one may be on another machine, which would choose otherwise.
        """
        self._note(self._precision, precision)

    def precision(self) -> str | None:
        """What `note_precision` was given last; None where it never was."""
        return _noted(self._precision)

    def _note(self, path: str, value: Any) -> None:
        tf.io.gfile.makedirs(self._folder)
        with tf.io.gfile.GFile(f"{path}.new", "w") as file:
            file.write(json.dumps(value))
        tf.io.gfile.rename(f"{path}.new", path, overwrite=True)

    def part(self, name: str) -> "CheckpointFolder":
        """The checkpoint of a further part of the same training, removed with the whole."""
        return CheckpointFolder(self._folder, name)

    def remove(self) -> None:
        """Deletes the checkpoint of a training that is done."""
        if tf.io.gfile.exists(self._folder):
            tf.io.gfile.rmtree(self._folder)


def _noted(path: str) -> Any:
    """What a file beside the checkpoint holds; None where there is none."""
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())
