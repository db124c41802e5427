"""The record of a training: what each epoch gave, where the time went; for people and reports."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import tensorflow as tf

#: File in the model run's folder.
HISTORY_FILE = "history.json"


@dataclass
class History:
    """Grows by one record per epoch; part of every checkpoint.

    Attributes:
        epochs: per epoch its number (0 where no step was taken), losses, validation results by
            task, the value that it is selected by (``selection``, and its part of each task),
            seconds, examples; where a schedule changes it, the learning rate of its last step, and
            that of the embedding tables where they have their own (``embedding_learning_rate``).
        best_epoch: number of the epoch whose weights are kept; 0 before the first.
        selection: what epochs are compared by: a ``name``, the settings, whether
            ``lower_is_better``, each task's share of the weights, validation rows and positives,
            and the ``first_epoch`` that is compared; empty before the first epoch.
        kept: which epoch is kept, by what and why, in a sentence.
        warnings: what a person should know before trusting the choice, such as a task with too few
            rows to select by.
        seconds: wall time by what it was spent on: input, step, validation, export.
        parameters: number of trainable weights.
        devices: that trained.
        precision: what steps computed in, ``float32`` or ``bfloat16``; empty for trees, and in
            records of before it was kept.
        gate_weights: mean gate weight by task and expert on the validation split, over the rows
            of the task's population.
        gate_contributions: likewise what each expert adds to its gate's mix, as a share.
        resumed_from_step: step at which an interrupted training went on, or None.
        notes: what the training method did besides, in words.
    """

    epochs: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    selection: dict[str, Any] = field(default_factory=dict)
    kept: str = ""
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(
        default_factory=lambda: {"input": 0.0, "step": 0.0, "validation": 0.0, "export": 0.0}
    )
    parameters: int = 0
    devices: list[str] = field(default_factory=list)
    precision: str = ""
    gate_weights: dict[str, dict[str, float]] = field(default_factory=dict)
    gate_contributions: dict[str, dict[str, float]] = field(default_factory=dict)
    resumed_from_step: int | None = None
    notes: list[str] = field(default_factory=list)

    def write(self, folder: str) -> None:
        """Writes `HISTORY_FILE` and TensorBoard logs into a folder."""
        tf.io.gfile.makedirs(folder)
        logs = os.path.join(folder, "tensorboard")
        # Written anew as a whole: TensorBoard would show the points of two files twice.
        if tf.io.gfile.exists(logs):
            tf.io.gfile.rmtree(logs)
        writer = tf.summary.create_file_writer(logs)
        with writer.as_default():
            for record in self.epochs:
                for name, value in _scalars(record).items():
                    tf.summary.scalar(name, value, step=record["epoch"])
        writer.close()
        with tf.io.gfile.GFile(os.path.join(folder, HISTORY_FILE), "w") as file:
            file.write(json.dumps(asdict(self), indent=2))


def read_history(folder: str) -> dict[str, Any] | None:
    """Reads a model run's `HISTORY_FILE`; one of an older version may lack what was added since.

    Returns:
        The fields of `History` by name; None where the trainer left no such file.

    Raises:
        ValueError: the file is no JSON.
    """
    path = os.path.join(folder, HISTORY_FILE)
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        try:
            history: dict[str, Any] = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {error.lineno}: no JSON ({error.msg})") from error
    return history


def _scalars(record: dict[str, Any]) -> dict[str, float]:
    """The numbers of one epoch by TensorBoard tag."""
    names = ("loss", "selection", "examples_per_second", "learning_rate", "embedding_learning_rate")
    scalars = {name: record[name] for name in names if record.get(name) is not None}
    for group in ("task_loss", "validation_auc", "validation_loss", "task_selection"):
        for task, value in record.get(group, {}).items():
            if value is not None:
                scalars[f"{group}/{task}"] = value
    return scalars
