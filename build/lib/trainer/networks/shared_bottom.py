"""One bottom for all tasks, one tower per task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from trainer.layers.normalization import Normalization
from trainer.layers.parallel_mlp import ParallelMLP
from trainer.layers.towers import Towers
from trainer.networks.network import Network, flatten
from transform.model_inputs import ModelInputs


class SharedBottom(Network):
    """Shared-Bottom (Caruana 1997).

    Args:
        inputs: the tasks.
        bottom_hidden: widths of the shared MLP's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        bottom_hidden: Annotated[list[PositiveInt], Field(min_length=1)] = [512, 256],  # noqa: B006
        tower_hidden: list[PositiveInt] = [128, 64],  # noqa: B006
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.bottom = ParallelMLP(1, bottom_hidden, dropout, normalization=normalization)
        self.towers = Towers(len(inputs.tasks), tower_hidden, dropout, normalization)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)``."""
        flat = flatten(fields)
        shared = self.bottom(flat, training=training)[:, 0]  # (B, h)
        return {"logits": self.towers(shared, training=training)}
