"""One bottom for all tasks, one tower per task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


class SharedBottom(Network):
    """Shared-Bottom (Caruana 1997).

    Shown to learn:
        Rules of domains that are a field among others, and what many rows tell a small domain; with
        0.015 and 0.012 more than `single_task` on `transfer`, it hands a little of what clicks tell
        to a task of few rows. AUC 0.853 and 0.852 of the possible 0.861 on `own_rules`, 0.769 and
        0.768 of the possible 0.792 on `small_domain`, 0.719 and 0.714 of the possible 0.790 on
        `transfer`, 0.671 and 0.687 of the possible 0.801 on `cross` (`benchmarks.planted_networks`;
        seeds 1 and 2).

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
        bottom_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (512, 256),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
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
