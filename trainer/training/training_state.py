"""All that a training needs to go on after an interruption, and where it is kept."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
from absl import logging

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.optimization.changed_rows import ChangedRows
from mtlx.trainer.settings import WarmStartSettings
from mtlx.trainer.training.checkpoint import Arrays, CheckpointFolder
from mtlx.trainer.training.stored.background_writer import BackgroundWriter
from mtlx.trainer.training.stored.stored_array import StoredArray, assign
from mtlx.trainer.training.stored.table_log import TableLog
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
        best: values of the model's variables after the best epoch, large tables on disk; empty
            before the first.
    """

    progress: TrainingProgress = field(default_factory=TrainingProgress)
    history: History = field(default_factory=History)
    best: list[np.ndarray | StoredArray] = field(default_factory=list)


class StateStore:
    """Saves the chief's state, and restores it on all workers.

    What is saved is copied between two steps and written beside the next ones. Tables of which
    every step changes a few rows are copied by the rows that have changed (`TableLog`).

    Args:
        checkpoints: of the training.
        workers: that train together.
    """

    def __init__(self, checkpoints: CheckpointFolder, workers: WorkerGroup) -> None:
        self._checkpoints, self._workers = checkpoints, workers
        self._writer = BackgroundWriter()
        self._tables: TableLog | None = None

    def begin(self, groups: Groups, tables: Sequence[ChangedRows], found: Arrays | None) -> None:
        """Begins to write the tables, before the first step.

        Args:
            groups: all state that steps change.
            tables: those of it whose changed rows are noted.
            found: what `restore` found; None where it found nothing.
        """
        if not tables or not self._workers.is_chief:
            return
        names = {
            id(variable): f"{name}/{index}"
            for name, group in groups.items()
            for index, variable in enumerate(group)
        }
        self._tables = TableLog(self._checkpoints.folder, tables, names)
        stored = [
            array
            for name in groups
            for array in (found or {}).get(name, ())
            if isinstance(array, StoredArray)
        ]
        self._tables.go_on(stored)
        if not self._tables.begun:
            self._writer.start(self._tables.new_base())

    def save(self, state: TrainingState, groups: Groups) -> None:
        """Copies the state, on the chief alone, and writes it in the background.

        Raises:
            Exception: what the last checkpoint's writing raised.
        """
        if not self._workers.is_chief:
            return
        # Before there is a further copy of anything.
        self._writer.wait()
        arrays = {name: self.values(variables) for name, variables in groups.items()}
        arrays["best"] = list(state.best)
        described = {"progress": asdict(state.progress), "history": asdict(state.history)}
        jobs: list[Callable[[], None]] = [lambda: self._checkpoints.save(arrays, described)]
        if self._tables is not None:
            jobs.insert(0, self._tables.flush())
            if self._tables.long:
                jobs.append(self._tables.new_base())
            needed = [one for group in arrays.values() for one in group]
            jobs.append(self._tables.clean(one for one in needed if isinstance(one, StoredArray)))

        def write() -> None:
            for job in jobs:
                job()

        self._writer.start(write)

    def values(self, variables: Sequence[keras.Variable]) -> list[np.ndarray | StoredArray]:
        """The variables' values as they are now, of large tables by where they will lie.

        These can be read once the next checkpoint is written.
        """
        if self._tables is None:
            return list(values_of(variables))
        self._writer.wait()
        self._tables.advance()
        stored = self._tables.stored()
        return [
            stored[self._tables.name(variable)]
            if variable in self._tables
            else values_of([variable])[0]
            for variable in variables
        ]

    def changed_otherwise(self) -> None:
        """Says that something else than a step has changed the variables."""
        if self._tables is not None:
            self._tables.start_anew()

    def check(self) -> None:
        """Raises what writing the last checkpoint has raised, where that is known by now."""
        self._writer.check()

    def wait(self) -> None:
        """Returns once nothing is being written: large tables may then be changed by any means.

        Raises:
            Exception: what writing the last checkpoint raised.
        """
        self._writer.wait()

    @contextlib.contextmanager
    def written(self) -> Iterator[None]:
        """Waits behind a block for the last checkpoint, also where the block raises."""
        try:
            yield
        except BaseException:
            try:
                self._writer.wait()
            except Exception as error:  # noqa: BLE001 (what came first is what is raised)
                logging.warning("the last checkpoint was not written: %s", error)
            raise
        self._writer.wait()

    def restore(self, groups: Groups) -> tuple[TrainingState, Arrays] | None:
        """Gives the variables their saved values.

        Args:
            groups: all state that steps change; "model" among it.

        Returns:
            What stands beside them, and the arrays; None where there is no checkpoint, or one of
            another model.
        """
        found = self._load(groups) if self._workers.is_chief else None
        arrays, state = found or ({}, None)
        state = self._workers.chiefs_value(state)
        if state is None:
            return None
        for name, group in groups.items():
            values = self._workers.chiefs_arrays(arrays.get(name, []), _shapes(group))
            for variable, value in zip(group, values, strict=True):
                assign(variable, value)
        shapes = _shapes(groups["model"]) if state["history"]["best_epoch"] else []
        best = self._workers.chiefs_arrays(arrays.get("best", []), shapes)
        progress, history = TrainingProgress(**state["progress"]), History(**state["history"])
        return TrainingState(progress, history, best), arrays

    def _load(self, groups: Groups) -> tuple[Arrays, dict[str, Any]] | None:
        """The last checkpoint's arrays and state, where there is one that fits."""
        found = self._checkpoints.load()
        if found is None:
            return None
        arrays: Arrays = found[0]
        if any(_shapes(group) != _shapes(arrays.get(name, [])) for name, group in groups.items()):
            logging.warning("the checkpoint is of another version of this model: training anew")
            return None
        if self._workers.several:
            # One machine began it, and these exchange whole arrays.
            arrays = {name: [np.asarray(one) for one in group] for name, group in arrays.items()}
        return arrays, found[1]


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


def _shapes(arrays: Sequence[keras.Variable | np.ndarray | StoredArray]) -> list[tuple[int, ...]]:
    return [tuple(array.shape) for array in arrays]
