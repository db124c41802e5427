"""One MLP per task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


class SingleTask(Network):
    """An MLP per task on the flattened fields; above the embedding nothing is shared.

    The embedding stage below is the model's and is trained by all tasks. For models that share
    nothing at all, train one per task, with a data contract of that task alone.

    Shown to learn:
        Rules of domains that are a field among others, and what many rows tell a small domain; a
        task of few rows gets no help from the others above the embedding: on `transfer` it has what
        a network without sharing has. AUC 0.853 and 0.841 of the possible 0.861 on `own_rules`,
        0.767 and 0.771 of the possible 0.792 on `small_domain`, 0.704 and 0.702 of the possible
        0.790 on `transfer`, 0.671 and 0.687 of the possible 0.801 on `cross`
        (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks.
        hidden: widths of each MLP's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    takes_task_inputs = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        hidden: tuple[PositiveInt, ...] = (256, 128),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.towers = Towers(len(inputs.tasks), hidden, dropout, normalization)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)``."""
        flat = flatten(fields)
        return {"logits": self.towers(flat, training=training)}
