"""All that a training needs to go on after an interruption, and where it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
from absl import logging

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.settings import WarmStartSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.training_progress import TrainingProgress
from mtlx.trainer.validation.history import History

#: State that steps change, by the name of its group in a checkpoint.
Groups = Mapping[str, Sequence[keras.Variable]]


@dataclass
class TrainingState:
    """What stands beside the variables.

    Attributes:
        progress: how far the training is.
        history: what happened.
        best: values of the model's variables after the best epoch; empty before the first.
    """

    progress: TrainingProgress = field(default_factory=TrainingProgress)
    history: History = field(default_factory=History)
    best: list[np.ndarray] = field(default_factory=list)


class StateStore:
    """Saves the chief's state, and restores it on all workers.

    Args:
        checkpoints: of the training.
        workers: that train together.
    """

    def __init__(self, checkpoints: CheckpointFolder, workers: WorkerGroup) -> None:
        self._checkpoints, self._workers = checkpoints, workers

    def save(self, state: TrainingState, groups: Groups) -> None:
        """Writes a checkpoint, on the chief alone."""
        if not self._workers.is_chief:
            return
        arrays = {name: values_of(variables) for name, variables in groups.items()}
        self._checkpoints.save(
            {**arrays, "best": state.best},
            {"progress": asdict(state.progress), "history": asdict(state.history)},
        )

    def restore(self, groups: Groups) -> TrainingState | None:
        """Gives the variables their saved values.

        Args:
            groups: all state that steps change; "model" among it.

        Returns:
            What stands beside them; None where there is no checkpoint, or one of another model.
        """
        found = self._load(groups) if self._workers.is_chief else None
        arrays, state = found or ({}, None)
        state = self._workers.chiefs_value(state)
        if state is None:
            return None
        for name, group in groups.items():
            values = self._workers.chiefs_arrays(arrays.get(name, []), _shapes(group))
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        shapes = _shapes(groups["model"]) if state["history"]["best_epoch"] else []
        best = self._workers.chiefs_arrays(arrays.get("best", []), shapes)
        return TrainingState(
            TrainingProgress(**state["progress"]), History(**state["history"]), best
        )

    def _load(self, groups: Groups) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]] | None:
        """The last checkpoint's arrays and state, where there is one that fits."""
        found = self._checkpoints.load()
        if found is None:
            return None
        arrays = found[0]
        if any(_shapes(group) != _shapes(arrays.get(name, [])) for name, group in groups.items()):
            logging.warning("the checkpoint is of another version of this model: training anew")
            return None
        return found


def kept_groups(start: WarmStartSettings | None, groups: Groups) -> Groups:
    """The groups that another training may begin with, beside the model's weights.

    Args:
        start: what this training begins with; where it takes over an optimiser's state, the next
            one shall find some.
        groups: all state that steps change.
    """
    asked = start is not None and start.optimizer
    return {
        name: group
        for name, group in groups.items()
        if name == "loss" or (asked and name not in ("model", "average"))
    }


def named_values(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Copies of the variables' values by their names, by group."""
    return {
        name: dict(zip(weight_names(group), values_of(group), strict=True))
        for name, group in groups.items()
    }


def values_of(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """Copies of the variables' values."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _shapes(arrays: Sequence[keras.Variable | np.ndarray]) -> list[tuple[int, ...]]:
    return [tuple(array.shape) for array in arrays]
