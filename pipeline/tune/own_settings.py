"""What an experiment itself says of the settings that a search varies."""

from collections.abc import Mapping
from typing import Any

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.tune.space import Space
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS

#: Options of `model` that are left out have the defaults of these.
_DEFAULTS = {
    "options": (NETWORKS, "network"),
    "sequence_options": (SEQUENCE_ENCODERS, "sequence_encoder"),
    "bottom_options": (BOTTOMS, "bottom"),
}


def own_settings(experiment: Experiment, space: Space) -> dict[str, Any] | None:
    """The experiment's own values; None where one of them is outside of the space.

    Args:
        experiment: as it is without the search.
        space: of the search.
    """
    values = {
        "model": experiment.model.model_dump(mode="json"),
        "training": experiment.training.model_dump(mode="json"),
    }
    for key, (registry, kind) in _DEFAULTS.items():
        parameters = registry.options(values["model"][kind])
        defaults = {name: _plain(one.default) for name, one in parameters.items()}
        values["model"][key] = {**defaults, **values["model"][key]}
    found = {name: _value(values, name) for name in space.axes}
    return found if space.has(found) else None


def _value(values: Mapping[str, Any], name: str) -> Any:
    place: Any = values
    for step in name.split("."):
        if not isinstance(place, Mapping) or step not in place:
            return None
        place = place[step]
    return place


def _plain(default: Any) -> Any:
    """As JSON has it; what JSON cannot hold is in no space."""
    if isinstance(default, tuple):
        return list(default)
    return default if isinstance(default, int | float | str | bool | list | dict) else None
