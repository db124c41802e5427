"""All that a training needs to go on after an interruption, and where it is kept."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import keras
import numpy as np
from absl import logging

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.optimization.changed_rows import ChangedRows
from mtlx.trainer.optimization.row_average import RowAverage
from mtlx.trainer.training.checkpoint import Arrays, CheckpointFolder
from mtlx.trainer.training.stored.background_writer import BackgroundWriter
from mtlx.trainer.training.stored.shard_parts import ShardParts
from mtlx.trainer.training.stored.sharded_array import (
    Kept,
    ShardedArray,
    give,
    give_share,
    in_shards,
    stored_in,
    stored_of,
)
from mtlx.trainer.training.stored.stored_array import StoredArray
from mtlx.trainer.training.stored.table_log import TableLog
from mtlx.trainer.training.stored.variable_values import Groups, values_of
from mtlx.trainer.training.training_progress import TrainingProgress
from mtlx.trainer.validation.history import History

#: Averages of tables, by the `id` of each.
Averages: TypeAlias = Mapping[int, RowAverage]
_NO_AVERAGES: Averages = MappingProxyType({})
#: Seconds between two questions whether all workers have written.
_PAUSE = 0.05


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
    best: list[Kept] = field(default_factory=list)


class StateStore:
    """Saves the chief's state, and restores it on all workers.

    What is saved is copied between two steps and written beside the next ones. Tables of which
    every step changes a few rows are copied by the rows that have changed (`TableLog`). Of sharded
    tables each worker writes its own rows (`ShardParts`); all workers then make the same calls.

    Args:
        checkpoints: of the training.
        workers: that train together.
        tables: variables whose changed rows are noted; sharded ones on all workers, or else those
            of the chief.
    """

    def __init__(
        self,
        checkpoints: CheckpointFolder,
        workers: WorkerGroup,
        tables: Sequence[ChangedRows] = (),
    ) -> None:
        self._checkpoints, self._workers = checkpoints, workers
        self._writer = BackgroundWriter()
        self._watched = tables
        self._tables: TableLog | None = None
        self._shards = {
            id(variable): table.shard
            for table in tables
            for variable in table.variables
            if table.shard is not None
        }
        self._parts: ShardParts | None = None
        if self._shards:
            self._parts = ShardParts(checkpoints.folder, workers.share)
        self._joined_best: list[Kept] = []
        self._clean_earlier: Callable[[], None] = lambda: None

    @property
    def _writes(self) -> bool:
        return self._workers.is_chief or self._parts is not None

    def begin(self, groups: Groups, found: Arrays | None) -> None:
        """Begins to write the tables, before the first step.

        Args:
            groups: all state that steps change.
            found: what `restore` found; None where it found nothing.
        """
        if not self._watched or not self._writes:
            return
        names = {
            id(variable): f"{name}/{index}"
            for name, group in groups.items()
            for index, variable in enumerate(group)
        }
        folder = self._checkpoints.folder
        if self._parts is not None:
            folder = self._parts.folder
            self._parts.begin()
            self._workers.wait()
        self._tables = TableLog(folder, self._watched, names)
        arrays = [one for name in groups for one in (found or {}).get(name, ())]
        self._tables.go_on(self._own_of(arrays))
        if not self._tables.begun:
            self._writer.start(self._tables.new_base())

    def _own_of(self, arrays: Sequence[Kept]) -> list[StoredArray]:
        """Those whose files this worker can go on with."""
        if self._parts is None:
            return [one for one in arrays if isinstance(one, StoredArray)]
        share = self._workers.share
        parts = [one.parts for one in arrays if isinstance(one, ShardedArray)]
        return [own[share.index] for own in parts if len(own) == share.count]

    def save(self, state: TrainingState, groups: Groups) -> None:
        """Copies the state and writes it in the background: the chief's, and shards of tables.

        Raises:
            Exception: what the last checkpoint's writing raised.
        """
        if not self._writes:
            return
        # Before there is a further copy of anything.
        self.wait()
        arrays = {name: self._values(variables) for name, variables in groups.items()}
        arrays["best"] = list(state.best)
        described = {"progress": asdict(state.progress), "history": asdict(state.history)}
        jobs = [self._written(arrays, described)]
        if self._tables is not None:
            jobs.insert(0, self._tables.flush())
            if self._tables.long:
                jobs.append(self._tables.new_base())
            if self._workers.is_chief:
                jobs.append(self._clean(arrays))
            else:
                # What the chief's checkpoint names until it has this one's part.
                jobs.insert(0, self._clean_earlier)
                self._clean_earlier = self._clean(arrays)

        def write() -> None:
            for job in jobs:
                job()

        self._writer.start(write)

    def _written(self, arrays: Arrays, described: Mapping[str, Any]) -> Callable[[], None]:
        """What writes a checkpoint, or this worker's part of one."""
        parts = self._parts
        if parts is None:
            return lambda: self._checkpoints.save(arrays, described)
        number = parts.next()
        if not self._workers.is_chief:
            return lambda: parts.note(number, arrays)

        def write() -> None:
            joined = parts.joined(number, arrays)
            self._checkpoints.save(joined, described)
            self._joined_best = joined["best"]

        return write

    def _clean(self, arrays: Arrays) -> Callable[[], None]:
        """What removes the files of tables that a checkpoint does without."""
        tables = self._tables
        assert tables is not None
        every = [one for group in arrays.values() for one in group]
        return tables.clean(stored_in(tables.folder, every))

    def values(
        self, variables: Sequence[keras.Variable], averages: Averages = _NO_AVERAGES
    ) -> list[Kept]:
        """The variables' values as they are now, of large tables by where they will lie.

        These can be read once the next checkpoint is written; of sharded tables they are this
        worker's rows.

        Args:
            variables: see above.
            averages: of some of them, by their `id`, which take the place of their values.
        """
        if self._tables is not None:
            self.wait()
        return self._values(variables, averages)

    def _values(
        self, variables: Sequence[keras.Variable], averages: Averages = _NO_AVERAGES
    ) -> list[Kept]:
        """`values`, while nothing is being written."""
        if self._tables is not None:
            self._tables.advance()
        return [self._value(variable, averages.get(id(variable))) for variable in variables]

    def _value(self, variable: keras.Variable, average: RowAverage | None) -> Kept:
        tables = self._tables
        if tables is None or variable not in tables:
            return values_of([variable])[0] if average is None else average.whole()
        return tables.stored(variable) if average is None else tables.averaged(variable, average)

    def whole(self, best: Sequence[Kept]) -> list[Kept]:
        """The chief's best values with all workers' rows of sharded tables, once they are saved."""
        own = self._parts is not None and any(isinstance(one, StoredArray) for one in best)
        return self._joined_best if own else list(best)

    def changed_otherwise(self) -> None:
        """Says that something else than a step has changed the variables."""
        if self._tables is not None:
            self._tables.start_anew()

    def check(self) -> None:
        """Raises what writing the last checkpoint has raised, where that is known by now."""
        self._writer.check()

    def wait(self) -> None:
        """Returns once nothing is being written: large tables may then be changed by any means.

        With sharded tables by no worker; that one of them is gone is noticed here, too.

        Raises:
            Exception: what writing the last checkpoint raised.
        """
        if self._parts is not None:
            while self._workers.any_of([self._writer.busy])[0]:
                time.sleep(_PAUSE)
        self._writer.wait()

    @contextlib.contextmanager
    def written(self) -> Iterator[None]:
        """Waits behind a block for the last checkpoint, also where the block raises."""
        try:
            yield
            self.wait()
        except BaseException:
            if self._parts is not None:
                self._parts.give_up()
            try:
                self._writer.wait()
            except Exception as error:  # noqa: BLE001 (what came first is what is raised)
                logging.warning("the last checkpoint was not written: %s", error)
            raise

    def restore(self, groups: Groups) -> tuple[TrainingState, Arrays] | None:
        """Gives the variables their saved values, whatever number of workers has saved them.

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
        arrays = {
            name: self._of_chief(arrays.get(name, []), group) for name, group in groups.items()
        }
        best = self._of_chief(found[0].get("best", []) if found else [], groups["model"])
        for name, group in groups.items():
            for variable, value in zip(group, arrays[name], strict=True):
                shard = self._shards.get(id(variable))
                if shard is None:
                    give(variable, value)
                else:
                    give_share(variable, value, shard.share)
        progress, history = TrainingProgress(**state["progress"]), History(**state["history"])
        return TrainingState(progress, history, best), arrays

    def _of_chief(self, values: Sequence[Kept], variables: Sequence[keras.Variable]) -> list[Kept]:
        """The chief's values of variables on all workers; of shards where they lie on disk."""
        if not self._workers.several:
            return list(values)
        records = self._workers.chiefs_value(
            [None if isinstance(one, np.ndarray) else one.record() for one in values]
        )
        folder = self._checkpoints.folder
        kept = [None if record is None else stored_of(folder, record) for record in records]
        shapes = self._shapes(variables)[: len(records)]
        of_sent = [shape for shape, one in zip(shapes, kept, strict=True) if one is None]
        held = [one for one in values if isinstance(one, np.ndarray)]
        sent = iter(self._workers.chiefs_arrays(held, of_sent))
        return [next(sent) if one is None else in_shards(one) for one in kept]

    def _shapes(self, variables: Sequence[keras.Variable]) -> list[tuple[int, ...]]:
        """Of the variables, or of the whole that they are shards of."""
        shapes = []
        for variable in variables:
            shard, own = self._shards.get(id(variable)), tuple(variable.shape)
            shapes.append(own if shard is None else shard.whole_shape(own))
        return shapes

    def _load(self, groups: Groups) -> tuple[Arrays, dict[str, Any]] | None:
        """The last checkpoint's arrays and state, where there is one that fits."""
        found = self._checkpoints.load()
        if found is None:
            return None
        arrays: Arrays = found[0]
        for name, group in groups.items():
            if self._shapes(group) != [tuple(one.shape) for one in arrays.get(name, [])]:
                logging.warning("the checkpoint is of another version of this model: training anew")
                return None
        if self._workers.several and self._parts is None:
            # One machine began it, or several with shards, and these exchange whole arrays.
            arrays = {name: [np.asarray(one) for one in group] for name, group in arrays.items()}
        return arrays, found[1]
