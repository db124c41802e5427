"""One step of model-agnostic meta-learning, in which each task adapts the model to itself."""

import contextlib

import keras
import tensorflow as tf

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.examples.traced_once import TracedOnce
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.optimization.optimizers import Optimizers
from mtlx.trainer.optimization.weight_average import WeightAverage
from mtlx.trainer.training.ordinary_step import Batch, OrdinaryStep


class MetaStep:
    """Steps 3 to 8 of the MAN paper's Algorithm 1, with the interface of `OrdinaryStep`.

    The first half of a batch's rows (of each device of one machine) is the support set S, the
    second half the query set Q; they are disjoint, and the same for all tasks. Each task t adapts
    the model to itself,

        θ'_t = θ − α ∇L_t(θ; S),

    and the optimiser takes a step down the gradient of Σ_t w_t L_t(θ'_t; Q) by θ, with the
    settings' learning rate (the paper's β), task weights, L2 and clipping. First order takes
    θ'_t's own gradient for it, as if ∇L_t(θ; S) were constant. State of the losses, such as
    learnt weights of tasks, is updated by that step too, but does not adapt to tasks.

    Args:
        step: the ordinary step, whose losses, weights and optimiser are used.
        model: the one that it trains.
        strategy: the devices; the gradient that adapts is that of all devices' rows.
        adaptation_rate: α.
        second_order: whether the gradient goes through ∇L_t(θ; S).
    """

    def __init__(
        self,
        step: OrdinaryStep,
        model: GradientModel,
        strategy: tf.distribute.Strategy,
        adaptation_rate: float,
        second_order: bool,
    ) -> None:
        self._step, self._model, self._strategy = step, model, strategy
        self._workers = WorkerGroup(strategy)
        self._adaptation_rate, self._second_order = adaptation_rate, second_order
        self._run = TracedOnce(self._distributed_step, step.batch_size, step.updates)

    @property
    def optimizers(self) -> Optimizers:
        """The ordinary step's."""
        return self._step.optimizers

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """The ordinary step's."""
        return self._step.variables

    @property
    def average(self) -> WeightAverage | None:
        """The ordinary step's."""
        return self._step.average

    def prepare(self, batch: Batch) -> None:
        """Creates all weights; see `OrdinaryStep.prepare`."""
        self._step.prepare(batch)

    def __call__(self, batch: Batch) -> tf.Tensor:
        """Takes a batch as `OrdinaryStep` does.

        Returns:
            The losses (T,) of the adapted models on the query set.
        """
        return self._run(batch)

    def _distributed_step(self, batch: Batch) -> tf.Tensor:
        losses = self._strategy.run(self._replica_step, args=(batch,))
        self._step.close()
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _replica_step(self, batch: Batch) -> tf.Tensor:
        support, query = (self._workers.own_rows(half) for half in halves(batch))
        with tf.GradientTape() as tape:
            # Without recording, the gradients that adapt are constants.
            recording = contextlib.nullcontext() if self._second_order else tape.stop_recording()
            with recording:
                task_gradients = self._gradients_of_tasks(support)
            losses = tf.stack(
                [
                    self._adapted_losses(gradients, query)[task]
                    for task, gradients in enumerate(task_gradients)
                ]
            )
            total = self._step.total(losses)
        self._step.update(tape, total)
        return losses

    def _gradients_of_tasks(self, support: Batch) -> list[list[tf.Tensor]]:
        """∇L_t(θ; S) for each task t, by weight; the support set is predicted once."""
        weights = [variable.value for variable in self._model.trainable_variables]
        with tf.GradientTape(persistent=True) as tape:
            task_losses = tf.unstack(self._step.losses(support))
        context = tf.distribute.get_replica_context()
        result = []
        for loss in task_losses:
            gradients = tape.gradient(
                loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
            if context.num_replicas_in_sync > 1:
                gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
            result.append(gradients)
        return result

    def _adapted_losses(self, gradients: list[tf.Tensor], query: Batch) -> tf.Tensor:
        """Losses (T,) of the model with θ' in the place of θ, which stays as it is."""
        adapted = [
            (variable, variable.value - self._adaptation_rate * gradient)
            for variable, gradient in zip(self._model.trainable_variables, gradients, strict=True)
        ]
        with keras.StatelessScope(state_mapping=adapted) as scope:
            losses = self._step.losses(query)
        for variable in self._model.non_trainable_variables:
            # Such as the state of dropout, which would else be the same in every step.
            value = scope.get_current_value(variable)
            if value is not None:
                variable.assign(value)
        return losses


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """The batch's first and second half of rows; an odd row goes to the second."""
    rows = tf.shape(next(iter(batch.values())))[0]
    middle = rows // 2
    return (
        {name: value[:middle] for name, value in batch.items()},
        {name: value[middle:] for name, value in batch.items()},
    )
