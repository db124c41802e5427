"""One MLP per domain and task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from trainer.layers.domain_towers import DomainTowers
from trainer.networks.network import Network, flatten
from transform.model_inputs import ModelInputs


class DomainTaskMLP(Network):
    """An MLP per pair of domain and task; above the embedding nothing is shared (M3oE's MLP).

    Every hidden layer is a linear one, layer normalisation and a ReLU, as M3oE 3.2 has them.

    A row is scored by the MLPs of its own domain. The embedding below is the model's and is
    trained by all; the arrangement ``mtl`` with network ``single_task`` shares nothing at all.

    Args:
        inputs: tasks and domains.
        hidden: widths of each MLP's hidden layers.
        dropout: share of the hidden units that are dropped in training.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        hidden: list[PositiveInt] = [256, 128],  # noqa: B006
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
    ):
        super().__init__()
        self.towers = DomainTowers(
            len(inputs.domains), len(inputs.tasks), hidden, dropout, normalize=True
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
