"""One MLP per task."""

from typing import Annotated

import keras
from pydantic import Field, PositiveInt

from trainer.layers.normalization import Normalization
from trainer.layers.towers import Towers
from trainer.networks.network import Network, flatten
from transform.model_inputs import ModelInputs


class SingleTask(Network):
    """An MLP per task on the flattened fields; above the embedding nothing is shared.

    The embedding stage below is the model's and is trained by all tasks. For models that share
    nothing at all, train one per task, with a data contract of that task alone.

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
        hidden: list[PositiveInt] = [256, 128],  # noqa: B006
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
