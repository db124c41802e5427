"""One optimiser step over all devices: population-masked losses, clipping, mixed precision."""

from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from trainer.labels import labels_and_mask
from trainer.lazy_adam import LazyAdam, look_up, sum_of_ids
from trainer.losses import LOSSES
from trainer.settings import LossSettings, TrainingSettings
from trainer.worker_group import WorkerGroup
from transform.model_inputs import TaskSpec

Batch = Mapping[str, tf.Tensor]

#: Losses of a model that names none itself.
_DEFAULT_LOSSES = ({"name": "binary_cross_entropy"},)


class TrainStep:
    """Updates a model on one batch.

    A task's loss is its sum over the batch's rows in the task's population divided by their
    number over all devices, so that the result does not depend on how rows are spread over
    devices. A population without rows contributes 0. A loss over all rows (`trainer.losses`) is
    divided by the number of rows instead.

    Args:
        model: takes a dict of features, gives a dict with ``logits`` ``(B, T)``; may name
            its ``default_losses``.
        tasks: in the model's order.
        settings: of the training.
        strategy: the devices; the model was built in its scope.
        trained: chooses, out of all trainable weights of model and losses, those that are
            updated; None for all.
        loss_layers: losses of another step of the same training, whose learnt weights both share.
    """

    def __init__(
        self,
        model: keras.Model,
        tasks: tuple[TaskSpec, ...],
        settings: TrainingSettings,
        strategy: tf.distribute.Strategy,
        trained: Callable[[list[keras.Variable]], list[keras.Variable]] | None = None,
        loss_layers: list[keras.Layer] | None = None,
    ) -> None:
        self._model, self._tasks, self._strategy = model, tasks, strategy
        self._settings = settings
        self._workers = WorkerGroup(strategy)
        self._weights = tf.constant(
            [settings.task_weights.get(task.name, 1.0) for task in tasks], tf.float32
        )
        with strategy.scope():
            default = getattr(model, "default_losses", _DEFAULT_LOSSES)
            terms = settings.loss or [LossSettings(**term) for term in default]
            self.loss_layers = loss_layers or [
                LOSSES.build(t.name, t.options, tasks) for t in terms
            ]
            self.optimizer = _optimizer(settings)
        if settings.optimizer == "lazy_adam":
            _read_rows_in_place(model)
        self._trained = trained or (lambda variables: variables)
        self._variables: list[keras.Variable] | None = None
        self._run = tf.function(self._distributed_step, autograph=False, reduce_retracing=True)

    @property
    def loss_variables(self) -> list[keras.Variable]:
        """State of the losses, such as learnt weights of tasks."""
        return [
            variable
            for loss in self.loss_layers
            if isinstance(loss, keras.Layer)
            for variable in loss.variables
        ]

    def prepare(self, batch: Batch) -> None:
        """Creates all weights, the optimiser's included, before a checkpoint is restored."""
        with self._strategy.scope():
            self._model({key: value[:1] for key, value in batch.items()}, training=False)
            learnt = [variable for variable in self.loss_variables if variable.trainable]
            self._variables = self._trained(self._model.trainable_variables + learnt)
            self.optimizer.build(self._variables)

    def __call__(self, batch: Batch) -> tf.Tensor:
        """Takes a batch; returns the task losses (T,).

        Where there are several replicas on one machine, the batch is per replica; where there
        are several machines, it is the global one, the same on all of them.
        """
        return self._run(batch)

    def _distributed_step(self, batch: Batch) -> tf.Tensor:
        losses = self._strategy.run(self._replica_step, args=(batch,))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _replica_step(self, batch: Batch) -> tf.Tensor:
        """This replica's share of the step; returns its share of the task losses."""
        with tf.GradientTape() as tape:
            losses = self.losses(self._workers.own_rows(batch))
            total = self.total(losses)
        self.update(tape, total)
        return losses

    def losses(self, batch: Batch) -> tf.Tensor:
        """This replica's share of the task losses ``(T,)``, in the replica's context.

        Over all replicas the shares add up to means over all rows of a task's population, or
        over all rows for a loss that says so, see `trainer.losses`.
        """
        labels, mask = labels_and_mask(batch, self._tasks)
        here = tf.stack([tf.reduce_sum(mask, axis=0), tf.reduce_sum(tf.ones_like(mask), axis=0)])
        context = tf.distribute.get_replica_context()
        everywhere = context.all_reduce(tf.distribute.ReduceOp.SUM, here)
        # A loss is a mean over this replica's rows; its share of the mean over all rows:
        of_population, of_rows = tf.unstack(tf.math.divide_no_nan(here, everywhere))
        outputs = self._model(batch, training=True)
        terms = [
            tf.cast(loss(labels, outputs, mask), tf.float32)
            * (of_rows if getattr(loss, "over_all_rows", False) else of_population)
            for loss in self.loss_layers
        ]
        return tf.add_n(terms)

    def total(self, losses: tf.Tensor) -> tf.Tensor:
        """The task losses, weighted by the settings, as one number."""
        return tf.reduce_sum(losses * self._weights)

    def update(self, tape: tf.GradientTape, total: tf.Tensor) -> None:
        """Takes the optimiser's step down the gradient of a total, in the replica's context."""
        gradients = tape.gradient(
            total,
            [variable.value for variable in self._variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        if self._settings.optimizer != "lazy_adam":
            # An embedding's gradient comes as slices, one per row and id. Keras' Adam squares
            # them before it adds up those of one id, so that an id that n rows of a batch hold
            # would take steps √n times too long.
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self.optimizer.apply(self._regularised(gradients), self._variables)

    def _regularised(
        self, gradients: list[tf.Tensor | tf.IndexedSlices]
    ) -> list[tf.Tensor | tf.IndexedSlices]:
        """L2 and clipping of the gradient over all devices; returns this one's share of it."""
        l2, clip_norm = self._settings.l2, self._settings.clip_norm
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        # Without them the optimiser's own exchange does.
        exchanged = replicas > 1 and (l2 or clip_norm is not None)
        if exchanged:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients = [_sum_of_ids(gradient) for gradient in gradients]
        if l2:
            gradients = [
                _with_l2(gradient, variable.value, l2)
                for gradient, variable in zip(gradients, self._variables, strict=True)
            ]
        if clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
        if exchanged:
            # The optimiser adds up the replicas' gradients once more.
            gradients = [_scaled(gradient, 1 / replicas) for gradient in gradients]
        return gradients


def _sum_of_ids(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor | tf.IndexedSlices:
    return sum_of_ids(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def _scaled(gradient: tf.Tensor | tf.IndexedSlices, by: float) -> tf.Tensor | tf.IndexedSlices:
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient * by
    return tf.IndexedSlices(gradient.values * by, gradient.indices, gradient.dense_shape)


def _with_l2(
    gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, l2: float
) -> tf.Tensor | tf.IndexedSlices:
    """Adds the weights times `l2`: of a table's gradient in slices, those of the touched rows."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient + l2 * variable
    values = gradient.values + l2 * tf.gather(variable, gradient.indices)
    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)


def _read_rows_in_place(model: keras.Model) -> None:
    """Lets the model's embeddings read their tables as `LazyAdam` writes them."""
    for embedding in getattr(model, "embeddings", []):
        embedding.look_up = look_up


def _optimizer(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    kinds: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
        "adam": keras.optimizers.Adam,
        "lazy_adam": LazyAdam,
        "sgd": keras.optimizers.SGD,
    }
    optimizer = kinds[settings.optimizer](
        learning_rate=settings.learning_rate, weight_decay=settings.weight_decay or None
    )
    if settings.optimizer == "lazy_adam":
        optimizer.exclude_from_weight_decay(var_names=["table"])
    return optimizer
