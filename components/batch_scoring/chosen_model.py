"""Which model scores: a pushed version, or any SavedModel."""

import os
import re
from dataclasses import dataclass

from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.model_pusher.model_files import is_model
from mtlx.components.model_pusher.serving_folder.files import files_of
from mtlx.components.model_pusher.serving_folder.version_number import version_numbers

#: What stands for the newest version: the one that serves.
LATEST = "latest"


@dataclass(frozen=True)
class ChosenModel:
    """A model that scores.

    Attributes:
        path: of the SavedModel, a path or URI.
        version: number of the pushed version; None where the model is none.
    """

    path: str
    version: int | None


def chosen_model(wanted: str, push_to: str | None) -> ChosenModel:
    """Finds the model that somebody asks for.

    Args:
        wanted: `LATEST`, the number of a version, or the folder of a SavedModel.
        push_to: the serving folder of the experiment; None where it has none.

    Raises:
        ScoringRefused: no such version, or no SavedModel in the folder.
        OSError: the serving folder cannot be read.
    """
    is_number = re.fullmatch("[0-9]+", wanted) is not None
    if wanted != LATEST and not is_number:
        if not is_model(files_of(wanted).names(wanted)):
            raise ScoringRefused(
                f"{wanted} holds no SavedModel: give '{LATEST}', the number of a pushed version, "
                "or the folder of a model"
            )
        return ChosenModel(wanted, None)
    if push_to is None:
        raise ScoringRefused(
            "serving.push_to is not set, so no version was ever pushed: give the folder of a model"
        )
    found = _versions(push_to)
    if not found:
        raise ScoringRefused(
            f"no version was pushed to {push_to} yet: run the pipeline first, or give the folder "
            "of a model"
        )
    number = max(found) if wanted == LATEST else int(wanted)
    if number not in found:
        numbers = ", ".join(map(str, sorted(found)[-10:]))
        raise ScoringRefused(f"{push_to} has no version {number}; the newest ones are {numbers}")
    return ChosenModel(found[number], number)


def _versions(base: str) -> dict[int, str]:
    """Folders of the versions that hold a model, by number."""
    files = files_of(base)
    paths = {
        number: os.path.join(base, name)
        for number, name in version_numbers(files.names(base)).items()
    }
    return {number: path for number, path in paths.items() if is_model(files.names(path))}
