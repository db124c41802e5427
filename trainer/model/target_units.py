"""From logits to predictions in the unit of the labels, of tasks whose labels are numbers."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from mtlx.trainer.model.scores import LOG_DEVIATIONS
from mtlx.transform.contract.model_inputs import TaskSpec

#: Largest exponent: its power is a finite float32.
_LARGEST_EXPONENT = 80.0


class TargetUnits(keras.layers.Layer):
    """Puts a regression's prediction in the place of its probability.

    ``squared``: shift + scale · z. ``log_normal``: the mean exp(μ + s²/2) of a number whose
    logarithm is normal around μ = shift + scale · z with deviation s = scale · σ, where ln σ is
    trained, one for each task. Tasks with labels 0 and 1 keep their probabilities.

    Args:
        tasks: the tasks, of which at least one is a regression.
    """

    def __init__(self, tasks: tuple[TaskSpec, ...]):
        super().__init__(dtype="float32")
        self.shift = np.array([task.shift for task in tasks], "float32")
        self.scale = np.array([task.scale for task in tasks], "float32")
        self.numbers = np.array([task.is_regression for task in tasks])
        self.log_normal = np.array(
            [task.is_regression and task.loss != "squared" for task in tasks]
        )
        self.log_deviation: keras.Variable | None = None
        if self.log_normal.any():
            self.log_deviation = self.add_weight(
                shape=(len(tasks),), initializer="zeros", name="log_deviation"
            )

    def build(self, *_: object) -> None:
        """Makes nothing: the weight is made at once."""

    def call(self, scores: Mapping[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
        """Adds predictions.

        Args:
            scores: "logits" and "probabilities" ``(B, T)`` float32.

        Returns:
            The same, with the regressions' predictions among the "probabilities", and
            `LOG_DEVIATIONS` ``(B, T)``, ln σ of each task, where one is ``log_normal``.
        """
        located = self.shift + self.scale * scores["logits"]
        found = ops.where(self.numbers, located, scores["probabilities"])
        if self.log_deviation is None:
            return {**scores, "probabilities": found}
        deviations = ops.zeros_like(located) + self.log_deviation
        exponent = located + 0.5 * ops.square(self.scale * ops.exp(deviations))
        # Before the choice: an infinite power would make the gradients of the others NaN.
        exponent = ops.where(self.log_normal, ops.minimum(exponent, _LARGEST_EXPONENT), 0.0)
        found = ops.where(self.log_normal, ops.exp(exponent), found)
        return {**scores, "probabilities": found, LOG_DEVIATIONS: deviations}
