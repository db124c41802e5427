"""SFM: one feature interaction in series, PLE on its output."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from trainer.interactions.settings import InteractionSettings
from trainer.layers.unit_scale import unit_scale
from trainer.networks.network import Network
from trainer.networks.ple import PLE
from transform.model_inputs import ModelInputs


class SFM(Network):
    """Serial feature interaction in multi-task learning (DTN paper, Fig. 1a).

    x' = FIM(x), one module for all tasks; PLE reads x' where it would read the fields.

    Args:
        inputs: the tasks and the categorical fields.
        interaction: the module and its options.
        units: output width of the module.
        normalize_modules: PLE reads x' at root mean square 1, whatever embeddings start from.
        levels: see PLE.
        task_experts: see PLE.
        shared_experts: see PLE.
        expert_hidden: see PLE.
        tower_hidden: see PLE.
        dropout: see PLE.

    Raises:
        SettingsError: the interaction does not fit the fields.
    """

    reads_fields = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        interaction: InteractionSettings = InteractionSettings(name="masknet"),  # noqa: B008
        units: PositiveInt = 512,
        normalize_modules: bool = True,
        levels: PositiveInt = 2,
        task_experts: PositiveInt = 2,
        shared_experts: PositiveInt = 2,
        expert_hidden: Annotated[list[PositiveInt], Field(min_length=1)] = [256, 128],  # noqa: B006
        tower_hidden: list[PositiveInt] = [128, 64],  # noqa: B006
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
    ):
        super().__init__()
        self.normalizes = normalize_modules
        self.interaction = interaction.build(inputs, units, copies=1)
        self.ple = PLE(
            inputs,
            levels=levels,
            task_experts=task_experts,
            shared_experts=shared_experts,
            expert_hidden=expert_hidden,
            tower_hidden=tower_hidden,
            dropout=dropout,
        )
        self.gate_names = dict(self.ple.gate_names)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` and ids ``(B, C)`` to "logits" ``(B, T)`` and PLE's gates."""
        crossed = self.interaction(fields, field_ids)  # (B, 1, units)
        if self.normalizes:
            crossed = unit_scale(crossed)
        return self.ple(crossed, field_ids, domain_ids, training=training)
