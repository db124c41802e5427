"""Whether a folder holds a model that a training can begin with, without TensorFlow."""

import os

from mtlx.trainer.warm_start.base_files import CHECKPOINT_FILE, FOLDER, RECORD_FILE


def base_model_problem(folder: str) -> str | None:
    """Why no training can begin with what lies in a folder; None if one can.

    Args:
        folder: of a SavedModel, of versions of one, or of a checkpoint.
    """
    if not os.path.isdir(folder):
        return (
            f"{folder} is no folder; give that of a SavedModel, such as a pushed version, or leave "
            "warm_start out"
        )
    for place in (folder, *_versions(folder)):
        if os.path.isfile(os.path.join(place, "saved_model.pb")):
            return _without_record(place, os.path.join(place, FOLDER))
    if os.path.isfile(os.path.join(folder, CHECKPOINT_FILE)):
        return _without_record(folder, folder)
    return f"{folder} holds neither a SavedModel, nor versions of one, nor a checkpoint"


def _versions(folder: str) -> list[str]:
    """Folders of versions, the last one first."""
    numbers = sorted((name for name in os.listdir(folder) if name.isdigit()), key=int)
    return [os.path.join(folder, name) for name in reversed(numbers)]


def _without_record(model: str, folder: str) -> str | None:
    if os.path.isfile(os.path.join(folder, RECORD_FILE)):
        return None
    return (
        f"the model in {model} has no {RECORD_FILE}: it was exported by an older release, or "
        "elsewhere. Train once without warm_start"
    )
