"""Takes over what an optimiser has gathered, the moments of embeddings by value."""

from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np

from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.warm_start.base_model import State
from mtlx.trainer.warm_start.row_map import RowMap

#: Groups of a checkpoint that are no optimiser's.
_OTHERS = ("model", "loss", "average")
#: What the settings say, whatever the base model's said.
_SETTING = "learning_rate"
_STEPS = "iteration"


def give_optimizer_state(
    groups: Mapping[str, Sequence[keras.Variable]], state: State, maps: Mapping[str, RowMap]
) -> int | None:
    """Gives the optimisers their state.

    Args:
        groups: all state of a training, by the groups of a checkpoint.
        state: what the base model holds.
        maps: of the weights whose rows move, by the weight's name.

    Returns:
        Steps taken before; None where nothing was given, because the state is not there, or of
        another optimiser.
    """
    slots = {weight.replace("/", "_"): rows for weight, rows in maps.items()}
    given: list[tuple[keras.Variable, np.ndarray]] = []
    steps = 0
    for group, variables in groups.items():
        if group in _OTHERS:
            continue
        found = state.get(group, {})
        names = weight_names(variables)
        if _without_rates(names) != _without_rates(found):
            return None
        for name, variable in zip(names, variables, strict=True):
            kind = name.partition("/")[2]
            if kind.startswith(_SETTING):
                continue
            value = found[name]
            if kind.startswith(_STEPS):
                steps = max(steps, int(value))
            rows = _rows_of(kind, slots)
            if rows is not None and value.shape[1:] == tuple(variable.shape)[1:]:
                value = rows.place(value, np.zeros(variable.shape, value.dtype))
            if value.shape != tuple(variable.shape):
                return None
            given.append((variable, value))
    for variable, value in given:
        variable.assign(value)
    return steps


def _without_rates(names: Iterable[str]) -> set[str]:
    """What is left where a schedule gives the learning rate, which then is no state."""
    return {name for name in names if not name.partition("/")[2].startswith(_SETTING)}


def _rows_of(slot: str, maps: Mapping[str, RowMap]) -> RowMap | None:
    """The map of the weight that a slot is of: ``<weight>_momentum`` or ``<weight>_velocity``."""
    slot, _, number = slot.partition("#")
    weight, _, _ = slot.rpartition("_")
    return maps.get(f"{weight}#{number}" if number else weight)
