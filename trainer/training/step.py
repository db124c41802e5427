"""What a training loop asks of the step that it takes on every batch."""

from collections.abc import Mapping
from typing import Protocol

import keras
import tensorflow as tf

from mtlx.trainer.optimization.optimizers import Optimizers
from mtlx.trainer.optimization.weight_average import WeightAverage


class Step(Protocol):
    """One update of a model's weights; `OrdinaryStep` is the ordinary one."""

    @property
    def optimizers(self) -> Optimizers:
        """Of all weights."""

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """All state but the model's, by the name of its group in a checkpoint."""

    @property
    def average(self) -> WeightAverage | None:
        """Of the model's weights, where the settings ask for one."""

    def prepare(self, batch: Mapping[str, tf.Tensor]) -> None:
        """Creates all weights, before a checkpoint is restored."""

    def __call__(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Updates on one batch; gives the task losses ``(T,)``."""
