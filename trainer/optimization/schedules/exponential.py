"""A learning rate that is multiplied by a factor every so many epochs."""

from typing import Annotated, ClassVar

import keras
from pydantic import Field, PositiveFloat

from mtlx.trainer.optimization.schedules.schedule import Schedule


class Exponential(Schedule):
    """share = d^(s / (e n)), s the step, n the steps of an epoch; Keras's `ExponentialDecay`.

    Args:
        steps: not used.
        epoch_steps: n.
        decay: d.
        every_epochs: e.
        staircase: the exponent's whole part alone counts, so that the rate stays the same for e
            epochs.
    """

    needs_length: ClassVar[bool] = True

    def __init__(
        self,
        steps: int,
        epoch_steps: int,
        *,
        decay: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9,
        every_epochs: PositiveFloat = 1.0,
        staircase: bool = False,
    ) -> None:
        super().__init__(steps, epoch_steps)
        self._decay = keras.optimizers.schedules.ExponentialDecay(
            1.0, every_epochs * epoch_steps, decay, staircase=staircase
        )

    def share(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Share of the learning rate at a step, d once for every so many epochs."""
        return self._decay(step)
