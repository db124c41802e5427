"""Binary cross-entropy per task, over the task's population."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from transform.model_inputs import TaskSpec
from transform.names import suggest
from transform.settings import SettingsError

#: Probabilities are kept so far from 0 and 1 where no logits are given.
SMALLEST_PROBABILITY = 1e-7


class BinaryCrossEntropy(keras.layers.Layer):
    """L_t = (1/n_t) Σ_i m_it · w(y_it) · BCE(y_it, p_it), with n_t = Σ_i m_it.

    m is 1 for rows of the task's population, w(1) the positive and w(0) the negative weight. The
    mean is over rows, not over weights, so that class weights change the size of the loss.
    Computed from logits in float32; from probabilities if the outputs hold no logits.

    Args:
        tasks: the tasks.
        positive_weight: w(1), one number or a number per task (1 for tasks not named).
        negative_weight: w(0), likewise.

    Raises:
        SettingsError: a weight names an unknown task or is negative.
    """

    def __init__(
        self,
        tasks: tuple[TaskSpec, ...],
        *,
        positive_weight: float | dict[str, float] = 1.0,
        negative_weight: float | dict[str, float] = 1.0,
    ):
        super().__init__(dtype="float32")
        names = [task.name for task in tasks]
        self.positive_weights = _per_task("positive_weight", positive_weight, names)
        self.negative_weights = _per_task("negative_weight", negative_weight, names)

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """Mean loss of each task over its population; 0 where that is empty.

        Args:
            labels: ``(B, T)`` float, 0 or 1.
            outputs: of the model: "logits" ``(B, T)``, else "probabilities" ``(B, T)``.
            mask: ``(B, T)`` float, 1 where the row is in the task's population.

        Returns:
            ``(T,)`` float32.
        """
        labels, mask = ops.cast(labels, "float32"), ops.cast(mask, "float32")
        logits = logits_of(outputs)
        # softplus(-z) = -log p and softplus(z) = -log(1 - p), without overflow.
        losses = self.positive_weights * labels * ops.softplus(-logits)
        losses = losses + self.negative_weights * (1.0 - labels) * ops.softplus(logits)
        # Not a product: a row outside of the population must not add 0 · inf.
        sums = ops.sum(ops.where(mask > 0, mask * losses, 0.0), axis=0)
        return sums / ops.maximum(ops.sum(mask, axis=0), 1.0)


def logits_of(outputs: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
    """The model's logits ``(B, T)`` in float32, from its probabilities where it gives no logits."""
    if "logits" in outputs:
        return ops.cast(outputs["logits"], "float32")
    probabilities = ops.clip(
        ops.cast(outputs["probabilities"], "float32"),
        SMALLEST_PROBABILITY,
        1.0 - SMALLEST_PROBABILITY,
    )
    return ops.log(probabilities) - ops.log1p(-probabilities)


def _per_task(option: str, weight: float | dict[str, float], names: list[str]) -> np.ndarray:
    """One weight per task, ``(T,)`` float32."""
    weights = weight if isinstance(weight, Mapping) else dict.fromkeys(names, weight)
    problems = []
    for task, value in weights.items():
        if task not in names:
            problems.append(((option, task), f"unknown task {task!r}, {suggest(task, names)}"))
        elif value < 0:
            problems.append(((option, task), f"must not be negative. Received: {value!r}"))
    if problems:
        raise SettingsError(problems)
    return np.asarray([weights.get(name, 1.0) for name in names], dtype="float32")
