"""What an experiment file can name: every registered member, with its options."""

import inspect

from components.log_example_gen.readers import READERS
from components.relaimp_gate.rules import RULES
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
            text += [f"  {parameter}" for parameter in registry.options(name).values()]
            return "\n".join(text if registry.options(name) else text[:-1])
    known = [member for _, registry in _REGISTRIES for member in registry]
    raise SettingsError([((), f"nothing is registered as {name!r}, {suggest(name, known)}")])
