"""Settings of one feature-interaction module inside a network's options."""

from typing import Any

import keras
import pydantic

from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.model_inputs import ModelInputs


class InteractionSettings(Settings):
    """Which module, and with which options.

    Attributes:
        name: registered name.
        options: the module's options by name; `units` is set by the network.
    """

    name: str
    options: dict[str, Any] = {}

    @pydantic.model_validator(mode="after")
    def _check_options(self) -> "InteractionSettings":
        if "units" in self.options:
            raise ValueError(
                f"option 'units' of interaction {self.name!r}: all modules of a network have the "
                "same width, set it as the network's own option 'units'"
            )
        INTERACTIONS.validate(self.name, self.options)
        return self

    def build(self, inputs: ModelInputs, units: int, copies: int) -> keras.Layer:
        """The module.

        Args:
            inputs: whose categorical fields it crosses.
            units: its output width.
            copies: how many of it are computed as one, with weights of their own.

        Raises:
            SettingsError: the options do not fit the fields.
        """
        field_names = tuple(field.name for field in inputs.categorical)
        return INTERACTIONS.build(self.name, {**self.options, "units": units}, copies, field_names)


#: The three kinds of the DTN paper, in its order.
DEFAULT_INTERACTIONS = [InteractionSettings(name=name) for name in ("gdcn", "memonet", "masknet")]


def unique_names(kinds: list[str]) -> list[str]:
    """gdcn, gdcn_2, … where a kind occurs several times."""
    return [
        kind if kinds[:index].count(kind) == 0 else f"{kind}_{kinds[:index].count(kind) + 1}"
        for index, kind in enumerate(kinds)
    ]
