"""A training that is done while others of its seeds are not: its model and its history, kept."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict

import tensorflow as tf
from absl import logging

from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.validation.history import History

_MODEL, _HISTORY = "model", "history.json"


class FinishedTraining:
    """The place of one seed's exported model, below the checkpoint of the whole.

    Args:
        checkpoints: of all seeds together, removed once all are done.
        seed: of this one.
    """

    def __init__(self, checkpoints: CheckpointFolder, seed: int) -> None:
        self.seed = seed
        self._folder = os.path.join(checkpoints.folder, f"finished_{seed}")

    @property
    def model(self) -> str:
        """Folder of its SavedModel."""
        return os.path.join(self._folder, _MODEL)

    @property
    def is_there(self) -> bool:
        """Whether it was kept whole."""
        return bool(tf.io.gfile.exists(os.path.join(self._folder, _HISTORY)))

    def keep(self, history: History, export: Callable[[str], None]) -> None:
        """Exports the model, and then says that it is there.

        Args:
            history: of the training.
            export: writes the SavedModel into a folder, and its seconds into the history.
        """
        if tf.io.gfile.exists(self._folder):  # An export that was interrupted.
            tf.io.gfile.rmtree(self._folder)
        tf.io.gfile.makedirs(self._folder)
        export(self.model)
        path = os.path.join(self._folder, _HISTORY)
        with tf.io.gfile.GFile(f"{path}.new", "w") as file:
            file.write(json.dumps(asdict(history)))
        tf.io.gfile.rename(f"{path}.new", path, overwrite=True)
        logging.info("the training from seed %d is done and kept", self.seed)

    @property
    def history(self) -> History:
        """Of the training."""
        with tf.io.gfile.GFile(os.path.join(self._folder, _HISTORY)) as file:
            return History(**json.loads(file.read()))

    def copy_model(self, target: str, without: tuple[str, ...] = ()) -> None:
        """Copies the SavedModel; what makes it one comes last.

        Args:
            target: folder, replaced where it exists.
            without: folders inside the model that are left out.
        """
        if tf.io.gfile.exists(target):
            tf.io.gfile.rmtree(target)
        last = []
        for folder, _, files in tf.io.gfile.walk(self.model):
            below = os.path.relpath(folder, self.model)
            if any(below == name or below.startswith(f"{name}/") for name in without):
                continue
            to = target if below == "." else os.path.join(target, below)
            tf.io.gfile.makedirs(to)
            for file in files:
                pair = os.path.join(folder, file), os.path.join(to, file)
                if below == "." and file == "saved_model.pb":
                    last.append(pair)
                else:
                    tf.io.gfile.copy(*pair, overwrite=True)
        for pair in last:
            tf.io.gfile.copy(*pair, overwrite=True)


def validated(history: History) -> float | None:
    """The value by which the kept epoch was chosen; None where nothing could be told."""
    values = {record["epoch"]: record.get("selection") for record in history.epochs}
    return values.get(history.best_epoch)
