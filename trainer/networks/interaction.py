"""Feature interactions used alone: one module and one tower per task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.interactions.settings import InteractionSettings
from mtlx.transform.contract.model_inputs import ModelInputs


class InteractionNetwork(Network):
    """A feature interaction module alone: logit_t = tower_t(FIM_t(x)).

    Every task has a module and a tower of its own, on the same fields; above the embedding
    nothing is shared, as in `single_task`. With one task this is the single-task model that the
    module's paper has (MaskNet in the PWiseR paper's Table 5). The modules of all tasks are one
    batched computation.

    Shown to learn:
        With GDCN, rules of domains and a small domain. Pairs of ids are learnt as well as the
        module does it, see the interactions. AUC 0.850 and 0.835 of the possible 0.861 on
        `own_rules`, 0.761 and 0.762 of the possible 0.792 on `small_domain`, 0.701 and 0.696 of the
        possible 0.790 on `transfer`, 0.686 and 0.698 of the possible 0.801 on `cross`
        (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks and the categorical fields.
        interaction: the module and its options.
        units: output width of the module.
        tower_hidden: widths of each tower's hidden layers; empty for a linear tower.
        dropout: share of the towers' hidden units that are dropped in training.
        normalization: of the towers' hidden layers, before their ReLU: ``none``, ``batch`` or
            ``layer``; a module has what its paper says.

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
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        tasks = len(inputs.tasks)
        self.interaction = interaction.build(inputs, units, copies=tasks)
        self.towers = Towers(tasks, tower_hidden, dropout, normalization)

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
        """Fields ``(B, F, k)`` and ids ``(B, C)`` to "logits" ``(B, T)``."""
        crossed = self.interaction(fields, field_ids)  # (B, T, units)
        return {"logits": self.towers(crossed, training=training)}
