"""Values of variables, copied, and which of them another training may ask for."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import keras
import numpy as np

from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.settings import WarmStartSettings

#: State that steps change, by the name of its group in a checkpoint.
Groups: TypeAlias = Mapping[str, Sequence[keras.Variable]]


def kept_groups(start: WarmStartSettings | None, groups: Groups) -> Groups:
    """The groups that another training may begin with, beside the model's weights.

    Args:
        start: what this training begins with; where it takes over an optimiser's state, the next
            one shall find some.
        groups: all state that steps change.
    """
    asked = start is not None and start.optimizer
    return {
        name: group
        for name, group in groups.items()
        if name == "loss" or (asked and name not in ("model", "average"))
    }


def named_values(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Copies of the variables' values by their names, by group."""
    return {
        name: dict(zip(weight_names(group), values_of(group), strict=True))
        for name, group in groups.items()
    }


def values_of(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """Copies of the variables' values."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
