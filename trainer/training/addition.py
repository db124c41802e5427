"""What a training method adds to the loop's own steps."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from mtlx.trainer.training.training_progress import TrainingProgress


class Addition:
    """Is told of the loop's progress, and acts on it; as it stands, it adds nothing."""

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """State of its own, by the name of its group in a checkpoint."""
        return {}

    def prepare(self, batch: Mapping[str, tf.Tensor]) -> None:
        """Creates all its state, before a checkpoint is restored."""

    def after_step(self, progress: TrainingProgress) -> None:
        """What is done after every step, before its checkpoint."""

    def after_epoch(self, progress: TrainingProgress) -> None:
        """What is done after an epoch's steps, before its validation."""
