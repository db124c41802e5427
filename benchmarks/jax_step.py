"""A training step on JAX: Keras's stateless step with Adam, as a function of its state."""

from typing import Any

import keras

from benchmarks.step_models import TASKS, Batch
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.gradient_model import GradientModel

#: Weights that are trained, other state of the model, and the optimiser's.
State = tuple[list, list, list]


class JaxStep:
    """Takes state and a batch, gives the loss before the step and the state after it.

    It is what `jax.jit` takes; nothing but its arguments changes. The labels are columns of the
    batch by the tasks' names, and count on every row.

    Args:
        model: built; its weights are where the state begins.
        learning_rate: Adam's.
    """

    def __init__(self, model: GradientModel, learning_rate: float = 1e-3) -> None:
        self._model = model
        self._adam = keras.optimizers.Adam(learning_rate)
        self._adam.build(model.trainable_variables)
        self._losses = [
            LOSSES.build(term["name"], term.get("options", {}), TASKS)
            for term in model.default_losses
        ]

    @property
    def state(self) -> State:
        """The model's and the optimiser's values as they were built."""
        trained, rest, slots = (
            [variable.value for variable in group]
            for group in (
                self._model.trainable_variables,
                self._model.non_trainable_variables,
                self._adam.variables,
            )
        )
        return trained, rest, slots

    def __call__(self, state: State, batch: Batch) -> tuple[Any, State]:
        import jax

        trained, rest, slots = state
        gradient = jax.value_and_grad(self._total, has_aux=True)
        (value, rest), gradients = gradient(trained, rest, batch)
        trained, slots = self._adam.stateless_apply(slots, gradients, trained)
        return value, (trained, rest, slots)

    def _total(self, trained: list, rest: list, batch: Batch) -> tuple[Any, list]:
        outputs, rest = self._model.stateless_call(trained, rest, batch, training=True)
        columns = [keras.ops.cast(batch[task.label], "float32") for task in TASKS]
        labels = keras.ops.stack(columns, axis=1)
        mask = keras.ops.ones_like(labels)
        return sum(keras.ops.sum(loss(labels, outputs, mask)) for loss in self._losses), rest
