"""The optimisers of a training: one for all weights, or another one for the embedding tables."""

from collections.abc import Callable, Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.sharded_tables import ShardedTables
from mtlx.trainer.optimization.changed_rows import ChangedRows
from mtlx.trainer.optimization.fused_adam import FusedAdam
from mtlx.trainer.optimization.lazy_adam import LazyAdam
from mtlx.trainer.optimization.learning_rate import LearningRate, ScheduleState
from mtlx.trainer.optimization.one_replica import PlainSGD
from mtlx.trainer.optimization.row_average import RowAverage
from mtlx.trainer.optimization.schedules.schedule import TrainingLength
from mtlx.trainer.settings import TrainingSettings

_KINDS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": FusedAdam,
    "lazy_adam": LazyAdam,
    "sgd": PlainSGD,
}


class Optimizers:
    """Updates weights, embedding tables at a rate and decay of their own where the settings say so.

    Created in the strategy's scope.

    Args:
        settings: of the training.
        tables: the embedding tables of ids.
        length: of the training, where its schedule depends on that.
        sharded: those of the tables of which each worker holds a share of the rows.

    Raises:
        SettingsError: the warm-up is not shorter than the training.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        tables: list[keras.Variable],
        length: TrainingLength | None,
        sharded: ShardedTables,
    ) -> None:
        self._settings, own = settings, settings.embeddings
        self._tables = {id(table) for table in tables}
        self._sharded = sharded
        changes = settings.schedule.changes
        self.schedule = ScheduleState(settings.schedule, length) if changes else None
        self._full_rates = [settings.learning_rate]
        decays = [settings.weight_decay]
        if own.apart and tables:
            rate, decay = own.learning_rate, own.weight_decay
            self._full_rates.append(settings.learning_rate if rate is None else rate)
            decays.append(settings.weight_decay if decay is None else decay)
        self._optimizers = [
            self._make(rate, decay) for rate, decay in zip(self._full_rates, decays, strict=True)
        ]
        if settings.optimizer == "lazy_adam":
            for optimizer in self._optimizers:
                optimizer.exclude_from_weight_decay(var_names=["table"])
        self._groups: list[list[int]] = []
        self._variables: list[keras.Variable] = []
        #: Coefficient of each trained weight's square.
        self.l2: list[float] = []

    def _make(self, rate: float, decay: float) -> keras.optimizers.Optimizer:
        chosen = rate if self.schedule is None else LearningRate(rate, self.schedule)
        options = {"own": self._sharded} if self._sharded else {}
        kind = _KINDS[self._settings.optimizer]
        return kind(learning_rate=chosen, weight_decay=decay or None, **options)

    def build(self, variables: list[keras.Variable]) -> None:
        """Creates all state for the weights that are trained."""
        self._variables = variables
        is_table = [id(variable) in self._tables for variable in variables]
        own = self._settings.embeddings.l2
        l2 = self._settings.l2
        self.l2 = [own if table and own is not None else l2 for table in is_table]
        places = range(len(variables))
        self._groups = [list(places)]
        if len(self._optimizers) > 1:
            self._groups = [[p for p in places if is_table[p] == kind] for kind in (False, True)]
        for optimizer, group in zip(self._optimizers, self._groups, strict=True):
            optimizer.build([variables[place] for place in group])

    def apply(self, gradients: list[tf.Tensor | tf.IndexedSlices]) -> None:
        """Takes a step, in the replica's context; gradients in the order of the weights.

        Those of a sharded table are of all replicas' rows, those of other weights of this one's.
        """
        for optimizer, group in zip(self._optimizers, self._groups, strict=True):
            if not group:
                continue
            sharded = [place for place in group if self._variables[place] in self._sharded]
            others = [place for place in group if place not in sharded]
            for place in sharded:
                own = self._sharded.own_slices(gradients[place])
                optimizer.apply_own(own, self._variables[place])
            if others:
                chosen = [self._variables[place] for place in others]
                optimizer.apply([gradients[place] for place in others], chosen)
            else:
                optimizer.iterations.assign_add(1)

    def _by_rows(self) -> Iterator[tuple[LazyAdam, keras.Variable]]:
        """The trained tables of which steps change the rows that they look up, and who does so."""
        for optimizer, group in zip(self._optimizers, self._groups, strict=True):
            if isinstance(optimizer, LazyAdam):
                for table in (self._variables[place] for place in group):
                    if id(table) in self._tables:
                        yield optimizer, table

    @property
    def tables_by_rows(self) -> list[keras.Variable]:
        """The trained tables of which steps change the rows that they look up."""
        return [table for _, table in self._by_rows()]

    def settle(self, averages: Mapping[int, RowAverage]) -> None:
        """Brings averages of rows up to date from now on before they change; before `watch`.

        Args:
            averages: of `tables_by_rows`, by the `id` of each.
        """
        for optimizer, table in self._by_rows():
            optimizer.settle(table, averages[id(table)])

    def watch(self, least_bytes: int | None) -> list[ChangedRows]:
        """Notes from now on which rows of the tables change; before the first step is traced.

        Args:
            least_bytes: of a table that is watched; None for sharded ones alone, which always are.

        Returns:
            One for each table of which a step changes few rows; none where steps change all.
        """
        found = []
        for optimizer, table in self._by_rows():
            large = least_bytes is not None and _bytes(table) >= least_bytes
            shard = self._sharded.shard(table)
            if shard is not None or large:
                found.append(optimizer.watch(table, shard))
        return found

    @property
    def main(self) -> keras.optimizers.Optimizer:
        """Of all weights, or of all but the embedding tables where these have their own."""
        return self._optimizers[0]

    @property
    def variables(self) -> list[keras.Variable]:
        """All state but the schedule's, which the training's progress holds."""
        return [variable for optimizer in self._optimizers for variable in optimizer.variables]

    def rates(self, step: int) -> list[float]:
        """The learning rates at a step, counted from 0: of all weights, and of the tables apart."""
        share = 1.0 if self.schedule is None else float(self.schedule.share(tf.constant(step)))
        return [rate * share for rate in self._full_rates]


def _bytes(variable: keras.Variable) -> int:
    return int(np.prod(variable.shape)) * tf.as_dtype(variable.dtype).size
