"""What a learning-rate schedule is: a share of the full rate by step, or by validation."""

from dataclasses import dataclass
from typing import ClassVar

import keras


@dataclass(frozen=True)
class TrainingLength:
    """How many steps a training takes if nothing stops it early.

    Attributes:
        epoch_steps: steps of an epoch.
        epochs: at most so many.
    """

    epoch_steps: int
    epochs: int

    @property
    def steps(self) -> int:
        """Of all epochs."""
        return self.epoch_steps * self.epochs


class Schedule:
    """A learning rate's share of the full one.

    The options that a user sets are the keyword-only arguments of a member's constructor.

    Args:
        steps: that the schedule has, those of the warm-up not among them.
        epoch_steps: steps of an epoch.

    Attributes:
        needs_length: whether the share depends on how long the training or an epoch is.
        follows_validation: whether `factor` changes the rate.
    """

    needs_length: ClassVar[bool] = False
    follows_validation: ClassVar[bool] = False

    def __init__(self, steps: int, epoch_steps: int) -> None:
        self.steps, self.epoch_steps = steps, epoch_steps

    def share(self, step: keras.KerasTensor) -> keras.KerasTensor | float:
        """The share at a step, float32, counted from 0 behind the warm-up."""
        return 1.0

    def factor(self, factor: float, epochs_without_gain: int) -> float:
        """The factor after an epoch, which comes besides `share`.

        Args:
            factor: the one so far; 1 at the start.
            epochs_without_gain: epochs since the best one, see `mtlx.trainer.validation.selection`.
        """
        return factor
