"""A learning rate that falls like half a wave of the cosine."""

from typing import Annotated, ClassVar

import keras
from pydantic import Field

from mtlx.trainer.optimization.schedules.schedule import Schedule


class Cosine(Schedule):
    """share = f + (1 − f) (1 + cos(π s / S)) / 2, s of S steps, then f.

    From SGDR (Loshchilov and Hutter 2017), without restarts; Keras's `CosineDecay`. S is the
    number of steps of all `training.epochs`, the warm-up's left out: where patience ends the
    training before, the rate has not come down. So `epochs` is to be what the training needs.

    Args:
        steps: S.
        epoch_steps: not used.
        final_share: f.
    """

    needs_length: ClassVar[bool] = True

    def __init__(
        self,
        steps: int,
        epoch_steps: int,
        *,
        final_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0,
    ) -> None:
        super().__init__(steps, epoch_steps)
        self._decay = keras.optimizers.schedules.CosineDecay(1.0, steps, alpha=final_share)

    def share(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Share of the learning rate at a step, half a cosine from 1 to the final share."""
        return self._decay(step)
