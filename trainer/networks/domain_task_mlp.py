"""One MLP per domain and task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.domain.domain_towers import DomainTowers
from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


class DomainTaskMLP(Network):
    """An MLP per pair of domain and task; above the embedding nothing is shared (M3oE's MLP).

    Every hidden layer is a linear one, layer normalisation and a ReLU, as M3oE 3.2 has them.

    A row is scored by the MLPs of its own domain. The embedding below is the model's and is
    trained by all; the arrangement ``mtl`` with network ``single_task`` shares nothing at all.

    Shown to learn:
        Own rules of domains. A small domain learns nothing from the large ones: with 80 of 3,080
        rows it is guessed nearly, where Shared-Bottom has 0.769 and 0.768. That is the idea, no
        fault: no weight above the embedding has seen other rows, and numbers have little to embed.
        AUC 0.850 and 0.841 of the possible 0.861 on `own_rules`, 0.588 and 0.546 of the possible
        0.792 on `small_domain`, 0.703 and 0.692 of the possible 0.790 on `transfer`, 0.707 and
        0.700 of the possible 0.801 on `cross` (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: tasks and domains.
        hidden: widths of each MLP's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` (by
            the rows of the domain alone) or ``layer``, the paper's.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        hidden: tuple[PositiveInt, ...] = (256, 128),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "layer",
    ):
        super().__init__()
        self.towers = DomainTowers(
            len(inputs.domains), len(inputs.tasks), hidden, dropout, normalization
        )

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """See Network."""
        return self.towers.domain_variables

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` and domain ids ``(B,)`` to "logits" ``(B, T)``."""
        return {"logits": self.towers(flatten(fields), domain_ids, training=training)}
