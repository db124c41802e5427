"""A base model in its folder: a SavedModel, or the checkpoint of an interrupted training."""

import io
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.warm_start.base_files import CHECKPOINT_FILE, FOLDER, RECORD_FILE
from mtlx.trainer.warm_start.base_record import BaseRecord, read_record
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.model_inputs import ModelInputs

#: State beside the weights: of losses, optimisers, and parts that only a training needs.
STATE_FILE = f"{FOLDER}/state.npz"
#: Group of weights that the exported model does without.
TRAINING_PARTS = "training_parts"
#: Where a Model artifact of TFX holds the SavedModel.
_IN_ARTIFACT = "Format-Serving"

#: Values by name, by the name of their group.
State = Mapping[str, Mapping[str, np.ndarray]]


class BaseModelError(ValueError):
    """There is no base model to begin with, or it does not fit; the text says why."""


class BaseModel:
    """What a training can begin with.

    Args:
        folder: a SavedModel, a folder with versions of one, a Model artifact, or the folder of a
            checkpoint.

    Attributes:
        folder: in which the model itself lies.
        record: what it says of itself.

    Raises:
        BaseModelError: there is none, or one that says nothing of itself.
    """

    def __init__(self, folder: str) -> None:
        self.folder = _model_folder(folder)
        self._checkpoint = not _holds_saved_model(self.folder)
        path = os.path.join(self.folder, "" if self._checkpoint else FOLDER, RECORD_FILE)
        if not tf.io.gfile.exists(path):
            raise BaseModelError(
                f"the base model {self.folder} has no {RECORD_FILE}: it was exported by an older "
                "release, or elsewhere, and its embeddings can't be told by value"
            )
        try:
            self.record: BaseRecord = read_record(path)
        except ValueError as error:
            raise BaseModelError(f"the base model can't be used: {error}") from error
        self._vocabularies: dict[str, list[bytes]] = {}

    @property
    def inputs(self) -> ModelInputs:
        """What it was built from."""
        return model_inputs(self.record.contract, lambda name: len(self.vocabulary(name)))

    def vocabulary(self, feature: str) -> list[bytes]:
        """The values of a feature, in the order of their ids."""
        if feature not in self._vocabularies:
            text = self._read(self.record.vocabularies[feature])
            self._vocabularies[feature] = text.removesuffix(b"\n").split(b"\n")
        return self._vocabularies[feature]

    def numbers(self) -> dict[str, Any] | None:
        """The numeric analysis by feature, as `write_numbers` takes it; None where none is kept."""
        if self.record.numbers is None:
            return None
        found: dict[str, Any] = json.loads(self._read(self.record.numbers))
        return found

    def weights(self) -> dict[str, np.ndarray]:
        """Values by the weights' names, those of parts that only a training needs included."""
        if self._checkpoint:
            return self._of_checkpoint()
        reader = tf.train.load_checkpoint(os.path.join(self.folder, "variables", "variables"))
        exported = {
            name: reader.get_tensor(f"_weights/{index}/.ATTRIBUTES/VARIABLE_VALUE")
            for index, name in enumerate(self.record.weights)
        }
        return {**exported, **self.state(TRAINING_PARTS).get(TRAINING_PARTS, {})}

    def state(self, group: str | None = None) -> State:
        """What else the training left; nothing for a checkpoint.

        Args:
            group: the only one that is read; None for all.
        """
        path = os.path.join(self.folder, STATE_FILE)
        if self._checkpoint or not tf.io.gfile.exists(path):
            return {}
        groups: dict[str, dict[str, np.ndarray]] = {}
        with tf.io.gfile.GFile(path, "rb") as file, np.load(io.BytesIO(file.read())) as stored:
            for key in stored.files:
                own, _, name = key.partition(":")
                if group in (None, own):
                    groups.setdefault(own, {})[name] = stored[key]
        return groups

    def _of_checkpoint(self) -> dict[str, np.ndarray]:
        """Those of the best epoch; before the first is done, of the last step."""
        found = CheckpointFolder(*os.path.split(self.folder)).load()
        if found is None:
            raise BaseModelError(f"the checkpoint in {self.folder} can't be read")
        values = found[0].get("best") or found[0]["model"]
        names = weight_names(build_model(self.inputs, self.record.model).variables)
        if len(names) != len(values):
            raise BaseModelError(f"the checkpoint in {self.folder} is of another release")
        return dict(zip(names, map(np.asarray, values), strict=True))

    def _read(self, path: str) -> bytes:
        try:
            with tf.io.gfile.GFile(os.path.join(self.folder, path), "rb") as file:
                found: bytes = file.read()
        except tf.errors.NotFoundError:
            raise BaseModelError(
                f"the base model {self.folder} was not kept whole: {path} is gone"
            ) from None
        return found


def _holds_saved_model(folder: str) -> bool:
    return bool(tf.io.gfile.exists(os.path.join(folder, "saved_model.pb")))


def _model_folder(folder: str) -> str:
    """The folder with the model: it, the one inside an artifact, or that of the last version."""
    folder = folder.rstrip("/") or folder
    # What TFX makes of an artifact that lies in a folder of its own.
    if os.path.basename(folder) == _IN_ARTIFACT and not tf.io.gfile.exists(folder):
        folder = os.path.dirname(folder)
    if not tf.io.gfile.isdir(folder):
        raise BaseModelError(f"the base model {folder} is gone: it was deleted, or moved")
    inside = os.path.join(folder, _IN_ARTIFACT)
    for place in (folder, inside):
        if _holds_saved_model(place):
            return place
    if tf.io.gfile.exists(os.path.join(folder, CHECKPOINT_FILE)):
        return folder
    names = [name.strip("/") for name in tf.io.gfile.listdir(folder)]
    for version in sorted((name for name in names if name.isdigit()), key=int, reverse=True):
        if _holds_saved_model(os.path.join(folder, version)):
            return os.path.join(folder, version)
    raise BaseModelError(
        f"the base model {folder} is gone: the folder holds neither a SavedModel, nor versions of "
        "one, nor a checkpoint"
    )
