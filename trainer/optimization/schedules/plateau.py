"""A learning rate that is reduced when the validation split shows no gain."""

from typing import Annotated, ClassVar

from pydantic import Field, PositiveInt

from mtlx.trainer.optimization.schedules.schedule import Schedule


class Plateau(Schedule):
    """The rate is multiplied by `reduction` after every `patience` epochs without gain.

    A gain is what `training.select_by` takes for one, as for `training.patience`, which must be
    greater: else the training would be over before its rate is reduced. The training goes on
    from the weights that it has, as with Keras's `ReduceLROnPlateau`.

    Args:
        steps: not used.
        epoch_steps: not used.
        reduction: what the rate is multiplied by.
        patience: epochs without gain before that.
        smallest_share: of the full rate; it is not reduced any further.
    """

    follows_validation: ClassVar[bool] = True

    def __init__(
        self,
        steps: int,
        epoch_steps: int,
        *,
        reduction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5,
        patience: PositiveInt = 1,
        smallest_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.001,
    ) -> None:
        super().__init__(steps, epoch_steps)
        self._reduction, self._patience = reduction, patience
        self._smallest_share = smallest_share

    def factor(self, factor: float, epochs_without_gain: int) -> float:
        """See `Schedule`."""
        if epochs_without_gain == 0 or epochs_without_gain % self._patience:
            return factor
        return max(factor * self._reduction, min(factor, self._smallest_share))
