"""What an experiment file can name: every registered member, with its options."""

import inspect
import types
import typing

from components.log_example_gen.readers import READERS
from components.relaimp_gate.rules import RULES
from trainer.arrangements import ARRANGEMENTS
from trainer.bottoms import BOTTOMS
from trainer.interactions import INTERACTIONS
from trainer.losses import LOSSES
from trainer.networks import NETWORKS
from trainer.sequence_encoders import SEQUENCE_ENCODERS
from trainer.training_methods import TRAINING_METHODS
from transform.names import suggest
from transform.registry import Registry
from transform.settings import SettingsError

_REGISTRIES: tuple[tuple[str, Registry], ...] = (
    ("data.reader", READERS),
    ("model.network", NETWORKS),
    ("model.sequence_encoder", SEQUENCE_ENCODERS),
    ("model.bottom", BOTTOMS),
    ("model.arrangement", ARRANGEMENTS),
    ("interactions (of a network)", INTERACTIONS),
    ("training.method", TRAINING_METHODS),
    ("training.loss", LOSSES),
    ("gate.thresholds.rule", RULES),
)


def listing() -> str:
    """All names, by the setting that takes them."""
    return "\n".join(f"{setting}: {', '.join(registry)}" for setting, registry in _REGISTRIES)


def describe(name: str) -> str:
    """One member: its documentation and its options with types and defaults.

    Raises:
        SettingsError: nothing is registered under this name.
    """
    for setting, registry in _REGISTRIES:
        if name in registry:
            text = [f"{name} ({setting})", "", inspect.getdoc(registry.get(name)) or "", ""]
            text += ["Options:"]
            text += [_option(parameter) for parameter in registry.options(name).values()]
            return "\n".join(text if registry.options(name) else text[:-1])
    known = [member for _, registry in _REGISTRIES for member in registry]
    raise SettingsError([((), f"nothing is registered as {name!r}, {suggest(name, known)}")])


def _option(parameter: inspect.Parameter) -> str:
    """One line: name, type and default value."""
    line = f"  {parameter.name}: {_type(parameter.annotation)}"
    required = parameter.default is inspect.Parameter.empty
    return line + (", required" if required else f", {parameter.default!r} by default")


def _type(annotation: object) -> str:
    """A type as a user of YAML thinks of it; limits are left to the error message."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is typing.Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if origin is dict:
        return f"mapping to {_type(arguments[1])}"
    if origin is not None and arguments:
        return f"list of {_type(arguments[0])}"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))
