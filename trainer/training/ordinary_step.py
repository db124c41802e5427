"""One optimiser step over all devices: population-masked losses, clipping, mixed precision."""

from collections.abc import Callable, Iterator, Mapping

import keras
import tensorflow as tf

from mtlx.trainer.distribution.sharded_tables import ShardedTables, sharded_tables
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.examples.labels import counted_labels, labels_and_mask, row_weights
from mtlx.trainer.examples.traced_once import TracedOnce
from mtlx.trainer.losses.loss import COUNTED_LABELS, ROW_WEIGHTS, Loss
from mtlx.trainer.losses.regression import build_losses
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.optimization.gradients import (
    Gradient,
    added,
    scaled,
    sum_of_rows,
    tensor_of,
)
from mtlx.trainer.optimization.lazy_adam import look_up
from mtlx.trainer.optimization.optimizers import Optimizers
from mtlx.trainer.optimization.schedules.schedule import TrainingLength
from mtlx.trainer.optimization.weight_average import WeightAverage
from mtlx.trainer.settings import LossSettings, TrainingSettings
from mtlx.transform.contract.model_inputs import TaskSpec

Batch = Mapping[str, tf.Tensor]


class OrdinaryStep:
    """Updates a model on one batch.

    A task's loss is its sum over the batch's rows in the task's population, times what they count
    for, divided by the sum of that over all devices, so that the result does not depend on how rows
    are spread over devices. A population without rows contributes 0. A loss over all rows
    (`mtlx.trainer.losses.loss`) is divided by the weight of all rows instead.

    Embedding tables may be sharded over the workers (`ShardedTables`).

    Args:
        model: takes a dict of features, gives a dict with ``logits`` ``(B, T)``.
        tasks: in the model's order.
        settings: of the training.
        strategy: the devices; the model was built in its scope.
        trained: chooses, out of all trainable weights of model and losses, those that are
            updated; None for all.
        loss_layers: losses of another step of the same training, whose learnt weights both share.
        length: of the training, where its schedule depends on that.
    """

    def __init__(
        self,
        model: GradientModel,
        tasks: tuple[TaskSpec, ...],
        settings: TrainingSettings,
        strategy: tf.distribute.Strategy,
        trained: Callable[[list[keras.Variable]], list[keras.Variable]] | None = None,
        loss_layers: list[Loss] | None = None,
        length: TrainingLength | None = None,
    ) -> None:
        self._model, self._tasks, self._strategy = model, tasks, strategy
        self._settings = settings
        self._workers = WorkerGroup(strategy)
        self._weights = tf.constant(
            [settings.task_weights.get(task.name, 1.0) for task in tasks], tf.float32
        )
        with strategy.scope():
            terms = settings.loss or [LossSettings(**term) for term in model.default_losses]
            self.loss_layers: list[Loss] = loss_layers or build_losses(
                ((term.name, term.options) for term in terms), tasks
            )
            self.sharded = sharded_tables(model, strategy)
            self.optimizers = Optimizers(settings, _tables(model), length, self.sharded)
        self._average: WeightAverage | None = None
        if settings.optimizer == "lazy_adam":
            _read_rows_in_place(model, self.sharded)
        self._trained = trained or (lambda variables: variables)
        self._variables: list[keras.Variable]  # Those that `prepare` finds.
        self._run = TracedOnce(self._distributed_step, settings.batch_size, self.updates)

    @property
    def loss_variables(self) -> list[keras.Variable]:
        """State of the losses, such as learnt weights of tasks."""
        return [variable for loss in self.loss_layers for variable in loss.variables]

    @property
    def optimizer(self) -> keras.optimizers.Optimizer:
        """Of all weights, or of all but the embedding tables where these have their own."""
        return self.optimizers.main

    @property
    def batch_size(self) -> int:
        """Rows of a whole batch, over all devices."""
        return self._settings.batch_size

    def updates(self) -> int:
        """How many the optimiser has made, those before a training was resumed included."""
        # Where several machines hold copies of a variable, `int` does not take it.
        return int(self.optimizer.iterations.numpy())

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """All state but the model's, by the name of its group in a checkpoint."""
        groups = {"loss": self.loss_variables, "optimizer": self.optimizers.variables}
        if self._average is not None:
            groups["average"] = self._average.variables
        return groups

    @property
    def average(self) -> WeightAverage | None:
        """Of the model's weights, where the settings ask for one."""
        return self._average

    def prepare(self, batch: Batch) -> None:
        """Creates all weights, the optimiser's included, before a checkpoint is restored."""
        with self._strategy.scope(), self.sharded.unread():
            self._model({key: value[:1] for key, value in batch.items()}, training=False)
            learnt = [variable for variable in self.loss_variables if variable.trainable]
            self._variables = self._trained(self._model.trainable_variables + learnt)
            self.optimizers.build(self._variables)
            if self._settings.average is not None:
                momentum = self._settings.average.momentum
                tables = self.optimizers.tables_by_rows
                own = [table for table in tables if table in self.sharded]
                self._average = WeightAverage(self._model, momentum, tables, own)
                self.optimizers.settle(self._average.rows)

    def __call__(self, batch: Batch) -> tf.Tensor:
        """Takes a batch; returns the task losses (T,).

        Where there are several replicas on one machine, the batch is per replica; where there
        are several machines, it is the global one, the same on all of them.
        """
        return self._run(batch)

    def _distributed_step(self, batch: Batch) -> tf.Tensor:
        losses = self._strategy.run(self._replica_step, args=(batch,))
        self.close()
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def close(self) -> None:
        """What follows an update, outside of the replicas' context."""
        if self._average is not None:
            self._average.update()

    def _replica_step(self, batch: Batch) -> tf.Tensor:
        """This replica's share of the step; returns its share of the task losses."""
        with self.sharded.fetched(self._model, batch):
            return self._updated(self._workers.own_rows(batch))

    def _updated(self, own: Batch) -> tf.Tensor:
        """`_replica_step` on its own rows of the batch."""
        everywhere = self._counts(own, everywhere=True)
        sums: list[Gradient] = []
        task_losses: list[tf.Tensor] = []
        for part in _parts(own, self._settings.batch_parts):
            # One part is done before the next one begins, which then takes its memory.
            with tf.control_dependencies([tensor_of(gradient) for gradient in sums]):
                with tf.GradientTape() as tape:
                    tape.watch(self.sharded.fetched_values)
                    losses = self.losses(_identical(part), everywhere)
                    total = self.total(losses)
                gradients = self._gradients(tape, total)
                if sums:
                    gradients = [added(*pair) for pair in zip(sums, gradients, strict=True)]
                sums = gradients
            task_losses.append(losses)
        self._apply(sums)
        return tf.add_n(task_losses)

    def _counts(self, batch: Batch, everywhere: bool = False) -> tf.Tensor:
        """Weight of the rows of each task's population, and of all rows; where they are other ones,
        of the rows whose labels count: ``(2 or 3, T)``, of this or of all replicas.
        """
        _, mask = labels_and_mask(batch, self._tasks)
        counted, of_rows = counted_labels(batch, self._tasks), row_weights(batch)
        every = tf.ones_like(mask)
        if of_rows is not None:
            every *= of_rows[:, tf.newaxis]
        rows = [mask, every, *([] if counted is None else [counted])]
        here = tf.stack([tf.reduce_sum(one, axis=0) for one in rows])
        context = tf.distribute.get_replica_context()
        # In a graph an exchange is registered with its gradient, for as long as the process lives,
        # and holds the graph and all variables that this reads.
        if not everywhere or context.num_replicas_in_sync == 1:
            return here
        return context.all_reduce(tf.distribute.ReduceOp.SUM, here)

    def losses(self, batch: Batch, everywhere: tf.Tensor | None = None) -> tf.Tensor:
        """This replica's share of the task losses ``(T,)``, in the replica's context.

        Over all replicas the shares add up to means over all rows of a task's population, or
        over all rows for a loss that says so, see `mtlx.trainer.losses.loss`.

        Args:
            batch: rows of this replica.
            everywhere: `_counts` of all that the means are over; None for the rows of `batch` on
                all replicas.
        """
        labels, mask = labels_and_mask(batch, self._tasks)
        if everywhere is None:
            everywhere = self._counts(batch, everywhere=True)
        # A loss is a mean over this replica's rows; its share of the mean over all rows:
        here = self._counts(batch)
        of_population, of_rows, *more = tf.unstack(tf.math.divide_no_nan(here, everywhere))
        of_counted = more[0] if more else of_rows
        outputs = self._model(batch, training=True)
        if more:
            outputs = {**outputs, COUNTED_LABELS: counted_labels(batch, self._tasks)}
        of_row = row_weights(batch)
        if of_row is not None:
            outputs = {**outputs, ROW_WEIGHTS: of_row}
        of_classes = self._of_classes(labels, mask)
        terms = [
            tf.cast(
                loss(labels, outputs, mask)
                if loss.of_regressions
                else loss(of_classes[0], outputs, of_classes[1]),
                tf.float32,
            )
            * (
                of_population
                if not loss.over_all_rows
                else of_counted
                if loss.reads_labels
                else of_rows
            )
            for loss in self.loss_layers
        ]
        return tf.add_n(terms)

    def _of_classes(self, labels: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Labels and mask ``(B, T)`` without those of regressions, which count 0."""
        if not any(task.is_regression for task in self._tasks):
            return labels, mask
        classes = tf.constant([not task.is_regression for task in self._tasks])
        return tf.where(classes, labels, 0.0), tf.where(classes, mask, 0.0)

    def total(self, losses: tf.Tensor) -> tf.Tensor:
        """The task losses, weighted by the settings, as one number."""
        return tf.reduce_sum(losses * self._weights)

    def update(self, tape: tf.GradientTape, total: tf.Tensor) -> None:
        """Takes the optimiser's step down the gradient of a total, in the replica's context."""
        self._apply(self._gradients(tape, total))

    def _gradients(self, tape: tf.GradientTape, total: tf.Tensor) -> list[Gradient]:
        """Of a total, by all weights that are trained."""
        gradients = tape.gradient(
            total,
            self.sharded.sources(self._variables),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        if self._settings.optimizer == "lazy_adam":
            return gradients
        # An embedding's gradient comes as slices, one per row and id. Keras' Adam squares
        # them before it adds up those of one id, so that an id that n rows of a batch hold
        # would take steps √n times too long.
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    def _apply(self, gradients: list[Gradient]) -> None:
        self.optimizers.apply(self._regularised(gradients))

    def _regularised(self, gradients: list[Gradient]) -> list[Gradient]:
        """L2 and clipping of the gradient over all devices; returns this one's share of it, and
        all of it where a table is sharded.
        """
        l2, clip_norm = self.optimizers.l2, self._settings.clip_norm
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        # Without them the optimiser's own exchange does.
        exchanged = replicas > 1 and (any(l2) or clip_norm is not None)
        gradients = self.sharded.everywhere(gradients, self._variables, others=exchanged)
        gradients = [
            gradient if variable in self.sharded else sum_of_rows(gradient)
            for gradient, variable in zip(gradients, self._variables, strict=True)
        ]
        if any(l2):
            gradients = [
                self._with_l2(gradient, variable, own) if own else gradient
                for gradient, variable, own in zip(gradients, self._variables, l2, strict=True)
            ]
        if clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
        if exchanged:
            # The optimiser adds up the replicas' gradients once more, but for sharded tables.
            gradients = [
                gradient if variable in self.sharded else scaled(gradient, 1 / replicas)
                for gradient, variable in zip(gradients, self._variables, strict=True)
            ]
        return gradients

    def _with_l2(self, gradient: Gradient, variable: keras.Variable, l2: float) -> Gradient:
        """Adds the weights times `l2`: of a table's gradient in slices, those of touched rows."""
        if not isinstance(gradient, tf.IndexedSlices):
            return gradient + l2 * variable.value
        values = gradient.values + l2 * self.sharded.rows(variable, gradient)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)


def _read_rows_in_place(model: GradientModel, sharded: ShardedTables) -> None:
    """Lets the model's embeddings read their tables as `LazyAdam` writes them."""
    for embedding in model.embeddings:
        if not embedding.rows or embedding.table not in sharded:
            embedding.look_up = look_up


def _tables(model: GradientModel) -> list[keras.Variable]:
    """The embedding tables of ids."""
    return [one.table for one in model.embeddings if one.rows]


def _parts(batch: Batch, parts: int) -> Iterator[Batch]:
    """A batch's rows in so many parts of equal size, or nearly."""
    if parts == 1:
        yield batch
        return
    rows = tf.shape(next(iter(batch.values())))[0]
    for part in range(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        yield {name: values[first:last] for name, values in batch.items()}


def _identical(batch: Batch) -> Batch:
    """The same tensors, made under the control dependencies around the call."""
    return {name: tf.identity(values) for name, values in batch.items()}
