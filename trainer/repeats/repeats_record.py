"""Which models of other seeds lie beside an exported one, and how it was chosen among them."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import tensorflow as tf

#: Folder beside the exported model, in the same artifact; below it one per seed that is not it.
REPEATS_FOLDER = "repeats"
#: File in that folder, written last.
RECORD_FILE = "repeats.json"


@dataclass(frozen=True)
class RepeatsRecord:
    """The trainings of one artifact.

    Attributes:
        seeds: in the order of the trainings.
        exported: the seed whose model is that of the artifact.
        metric: name of what the median is taken of, on the validation split.
        values: of each training; None where nothing could be told.
    """

    seeds: tuple[int, ...]
    exported: int
    metric: str
    values: tuple[float | None, ...]

    @property
    def words(self) -> str:
        """How it was chosen, in a sentence."""
        told = ", ".join(
            f"{'unknown' if value is None else f'{value:.5f}'} (seed {seed})"
            for seed, value in zip(self.seeds, self.values, strict=True)
        )
        return (
            f"Trained from {len(self.seeds)} seeds: {self.metric} {told} on the validation split. "
            f"Seed {self.exported}, the median, is exported; the others are evaluated with it."
        )

    def save(self, folder: str) -> None:
        """Writes the record.

        Args:
            folder: see `repeats_folder`.
        """
        tf.io.gfile.makedirs(folder)
        path = os.path.join(folder, RECORD_FILE)
        with tf.io.gfile.GFile(f"{path}.new", "w") as file:
            file.write(json.dumps(asdict(self), indent=2))
        tf.io.gfile.rename(f"{path}.new", path, overwrite=True)

    @classmethod
    def beside(cls, model: str) -> "RepeatsRecord | None":
        """Reads the record of a model's artifact.

        Args:
            model: folder of the exported SavedModel.

        Returns:
            None where the model was trained once.

        Raises:
            ValueError: the record is none.
        """
        path = os.path.join(repeats_folder(model), RECORD_FILE)
        if not tf.io.gfile.exists(path):
            return None
        with tf.io.gfile.GFile(path) as file:
            text = file.read()
        try:
            values = json.loads(text)
            return cls(
                tuple(values["seeds"]),
                values["exported"],
                values["metric"],
                tuple(values["values"]),
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no record of repeated trainings: {error!r}") from error

    def folders(self, model: str) -> dict[int, str]:
        """Where the model of each seed lies.

        Args:
            model: folder of the exported SavedModel.
        """
        beside = repeats_folder(model)
        return {
            seed: model if seed == self.exported else os.path.join(beside, str(seed))
            for seed in self.seeds
        }


def repeats_folder(model: str) -> str:
    """The folder for models of other seeds.

    Args:
        model: folder of the exported SavedModel, as ``<artifact>/Format-Serving``.
    """
    return os.path.join(os.path.dirname(model.rstrip("/")), REPEATS_FOLDER)


def median_place(values: Sequence[float | None]) -> int:
    """Which of several values is the median; of an even number the lower of the two in the middle.

    Args:
        values: None where nothing is known, which counts as more than all.

    Returns:
        Its place; of equal values the first.
    """
    known = [float("inf") if value is None else value for value in values]
    return sorted(range(len(known)), key=lambda place: known[place])[(len(known) - 1) // 2]
