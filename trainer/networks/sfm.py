"""SFM: one feature interaction in series, PLE on its output."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.unit_scale import unit_scale
from mtlx.trainer.networks.network import Network
from mtlx.trainer.networks.ple import PLE
from mtlx.trainer.parts.interactions.settings import InteractionSettings
from mtlx.transform.contract.model_inputs import ModelInputs


class SFM(Network):
    """Serial feature interaction in multi-task learning (DTN paper, Fig. 1a).

    x' = FIM(x), one module for all tasks; PLE reads x' where it would read the fields.

    Shown to learn:
        Pairs of ids, which PLE alone knows 0.076 and 0.039 worse on `cross` (with GDCN). AUC 0.843
        and 0.844 of the possible 0.861 on `own_rules`, 0.760 and 0.758 of the possible 0.792 on
        `small_domain`, 0.710 and 0.705 of the possible 0.790 on `transfer`, 0.726 and 0.733 of the
        possible 0.801 on `cross` (`benchmarks.planted_networks`; seeds 1 and 2).

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
        normalization: of PLE's hidden layers.

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
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
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
            normalization=normalization,
        )
        self.gate_names = dict(self.ple.gate_names)

    @property
    def tells_ids_apart(self) -> bool:
        """See Network."""
        apart: bool = self.interaction.tells_ids_apart
        return apart

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
