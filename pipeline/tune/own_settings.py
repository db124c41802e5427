"""What an experiment itself says of the settings that a search varies."""

from collections.abc import Mapping
from typing import Any

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.tune.space import Space
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.optimization.schedules import SCHEDULES
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of
from mtlx.transform.config.registry import Registry


def own_settings(experiment: Experiment, space: Space) -> dict[str, Any] | None:
    """The experiment's own values; None where one of them is outside of the space.

    Args:
        experiment: as it is without the search.
        space: of the search.
    """
    model, training = (
        part.model_dump(mode="json") for part in (experiment.model, experiment.training)
    )
    method = method_of(experiment.model, experiment.training)
    of_classes: tuple[tuple[dict[str, Any], str, Registry, str], ...] = (
        (model, "options", NETWORKS, model["network"]),
        (model, "sequence_options", SEQUENCE_ENCODERS, model["sequence_encoder"]),
        (model, "bottom_options", BOTTOMS, model["bottom"]),
        (training, "method_options", TRAINING_METHODS, method),
        (training["schedule"], "options", SCHEDULES, training["schedule"]["name"]),
    )
    for section, key, registry, name in of_classes:
        defaults = {one: _plain(own.default) for one, own in registry.options(name).items()}
        section[key] = {**defaults, **section[key]}
    values = {"model": model, "training": {**training, "method": method}}
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
