"""What a training may begin with in the place of random weights."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import keras

from mtlx.trainer.model.gradient_model import GradientModel


class Start(Protocol):
    """Gives a new model, and what trains it, the values to begin with.

    `mtlx.trainer.warm_start.warm_start.WarmStart` is one. A checkpoint of the training itself goes
    before it.
    """

    def give_weights(self, model: GradientModel) -> None:
        """Gives the untrained model its weights.

        Raises:
            ValueError: they don't fit.
        """

    def give_state(self, groups: Mapping[str, Sequence[keras.Variable]]) -> int:
        """Gives losses and optimisers their state, by the groups of a checkpoint.

        Returns:
            Steps that the optimiser has taken before, 0 where its state does not come along.
        """
