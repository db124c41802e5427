"""Embedding tables of which every worker holds a share of the rows, and no worker the whole."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from mtlx.trainer.distribution.drawn_rows import drawn_rows
from mtlx.trainer.distribution.own_variables import own_variables
from mtlx.trainer.distribution.share import Shard
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.layers.embedding.tables import Tables
from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.model.gradient_model import GradientModel

Gradients = list[tf.Tensor | tf.IndexedSlices]
_Read = Callable[[keras.Variable, tf.Tensor], tf.Tensor]


def _values(table: keras.Variable, rows: tf.Tensor) -> tf.Tensor:
    return tf.gather(table.value, rows)


@dataclass(frozen=True)
class FetchedRows:
    """The rows of one table that a global batch looks up, the same on all workers.

    Attributes:
        rows: ``(n,)`` int64, rising.
        values: ``(n, k)``.
        shape: of the whole table.
    """

    rows: tf.Tensor
    values: tf.Tensor
    shape: tuple[int, int]

    def look_up(self, rows: tf.Tensor) -> tf.Tensor:
        """Values of rows ``(...)``, all of which are among these."""
        places = tf.searchsorted(self.rows, tf.reshape(rows, [-1]))
        found = tf.gather(self.values, places)
        return tf.reshape(found, tf.concat([tf.shape(rows), self.shape[1:]], axis=0))


class ShardedTables(Tables):
    """Keeps the rows of its `Share`, and exchanges with the other workers what a batch needs.

    Every worker runs on the same global batch (`WorkerGroup`), and so knows, without asking, which
    rows all of them look up. Once per step each gives those that it holds, zeros for the others,
    and all are added up; once the gradients by these rows are added up, of which each worker then
    takes those of its own. So two exchanges of the batch's different rows take the place of the
    one of all gradients that tables held by everybody need.

    An object is for the tables of one model. Without any it changes nothing.

    Args:
        strategy: the devices; each worker has one.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self.share = WorkerGroup(strategy).share
        # Held, so that no other variable gets one's `id`.
        self._tables: dict[int, tuple[keras.Variable, tuple[int, int]]] = {}
        self._fetched: Mapping[int, FetchedRows] = {}
        self._unread = False

    def __contains__(self, variable: keras.Variable) -> bool:
        return id(variable) in self._tables

    def __bool__(self) -> bool:
        return bool(self._tables)

    def shape(self, variable: keras.Variable) -> tuple[int, ...]:
        """Of a weight, or of the whole table that it is a share of."""
        found = self._tables.get(id(variable))
        return tuple(variable.shape) if found is None else found[1]

    def shard(self, variable: keras.Variable) -> Shard | None:
        """What a table is of the whole one; None for a weight that is whole."""
        return Shard(self.share, self.shape(variable)[0]) if variable in self else None

    def make(
        self,
        add_weight: Callable[..., keras.Variable],
        shape: tuple[int, int],
        initializer: keras.initializers.RandomNormal,
    ) -> keras.Variable:
        """A weight with this worker's rows of the table, as the initialiser draws the whole."""
        with own_variables():
            own = (self.share.size(shape[0]), shape[1])
            table = add_weight(shape=own, initializer="zeros")
        for first, rows in drawn_rows(initializer, shape, self.share):
            table.value[first : first + rows.shape[0]].assign(rows)
        self._tables[id(table)] = (table, shape)
        return table

    @contextlib.contextmanager
    def unread(self) -> Iterator[None]:
        """Within it all rows count as zeros, for calls that only make weights."""
        before, self._unread = self._unread, True
        try:
            yield
        finally:
            self._unread = before

    @contextlib.contextmanager
    def fetched(
        self, model: GradientModel, batch: Mapping[str, tf.Tensor], read: _Read = _values
    ) -> Iterator[None]:
        """Within it the model can be called on any rows of a global batch.

        In the replica's context, on all workers.

        Args:
            model: see above.
            batch: see above.
            read: gives what stands for rows ``(n,)`` of this worker's table, ``(n, k)``.
        """
        sharded = [one for one in model.embeddings if one.rows and one.table in self]
        self._fetched = {id(one.table): self._fetch(one, batch, read) for one in sharded}
        try:
            yield
        finally:
            self._fetched = {}

    def _fetch(
        self, embedding: FieldEmbedding, batch: Mapping[str, tf.Tensor], read: _Read
    ) -> FetchedRows:
        table, shape = self._tables[id(embedding.table)]
        # Sorted, so that all workers have them in one order, and places are found.
        rows = tf.sort(tf.unique(tf.reshape(embedding.rows_of(batch), [-1])).y)
        places = tf.where(self.share.holds(rows))
        own = read(table, self.share.own(tf.gather_nd(rows, places)))
        size = tf.stack([tf.size(rows, tf.int64), tf.constant(shape[1], tf.int64)])
        values = _summed(tf.scatter_nd(places, own, size))
        return FetchedRows(rows, values, shape)

    def look_up(self, table: keras.Variable, rows: tf.Tensor) -> tf.Tensor:
        """See `Tables`; rows of the batch that was fetched.

        Raises:
            RuntimeError: none was.
        """
        if id(table) in self._fetched:
            return self._fetched[id(table)].look_up(rows)
        if self._unread:
            return tf.zeros([*rows.shape, table.shape[1]], table.dtype)
        raise RuntimeError("rows of a sharded table were looked up outside of a fetched batch")

    @property
    def fetched_values(self) -> list[tf.Tensor]:
        """Values of the rows that were fetched, of all tables."""
        return [one.values for one in self._fetched.values()]

    def sources(self, variables: Sequence[keras.Variable]) -> list[tf.Variable | tf.Tensor]:
        """By what a loss is derived for its gradients by the weights: of a sharded table by the
        rows that were fetched, which a tape must watch.
        """
        return [
            self._fetched[id(variable)].values if variable in self else variable.value
            for variable in variables
        ]

    def everywhere(
        self, gradients: Gradients, variables: Sequence[keras.Variable], others: bool
    ) -> Gradients:
        """Gradients added up over all workers: of sharded tables, and of the others if asked.

        Args:
            gradients: by `sources`; a sharded table's comes back in slices, one for each fetched
                row, numbered as in the whole table.
            variables: the weights.
            others: see above.
        """
        places = [n for n, one in enumerate(variables) if others or one in self]
        if not places:
            return gradients
        # Of the fetched rows, in slices where the model has gathered them.
        given = {
            n: tf.convert_to_tensor(gradients[n]) if variables[n] in self else gradients[n]
            for n in places
        }
        summed = dict(zip(places, _summed(list(given.values())), strict=True))
        return [
            self._slices(variable, summed[n]) if variable in self else summed.get(n, gradients[n])
            for n, variable in enumerate(variables)
        ]

    def _slices(self, table: keras.Variable, values: tf.Tensor) -> tf.IndexedSlices:
        return tf.IndexedSlices(values, self._fetched[id(table)].rows, self.shape(table))

    def rows(self, variable: keras.Variable, gradient: tf.IndexedSlices) -> tf.Tensor:
        """Values of the rows that a gradient in slices is of."""
        if variable in self:
            return self._fetched[id(variable)].values
        return tf.gather(variable.value, gradient.indices)

    def own_slices(self, gradient: tf.IndexedSlices) -> tf.IndexedSlices:
        """Those of the rows that this worker holds, numbered as they lie here; no others."""
        places = tf.where(self.share.holds(gradient.indices))[:, 0]
        rows = self.share.own(tf.gather(gradient.indices, places))
        return tf.IndexedSlices(tf.gather(gradient.values, places), rows)


def sharded_tables(model: GradientModel, strategy: tf.distribute.Strategy) -> ShardedTables:
    """What keeps a model's tables; an object without any where nobody shards them."""
    for embedding in model.embeddings:
        if isinstance(embedding.tables_made_by, ShardedTables):
            return embedding.tables_made_by
    return ShardedTables(strategy)


def _summed(values: tf.Tensor | list[tf.Tensor]) -> tf.Tensor | list[tf.Tensor]:
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)
