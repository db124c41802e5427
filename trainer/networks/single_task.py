"""One MLP per task."""

from typing import Annotated

import keras
from keras import ops
from pydantic import Field, PositiveInt

from trainer.layers.towers import Towers
from transform.model_inputs import ModelInputs


class SingleTask(keras.layers.Layer):
    """An MLP per task on the flattened fields; above the embedding nothing is shared.

    The embedding stage below is the model's and is trained by all tasks. For models that share
    nothing at all, train one per task, with a data contract of that task alone.

    Args:
        inputs: the tasks.
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
        self.gate_names: dict[str, list[str]] = {}
        self.towers = Towers(len(inputs.tasks), hidden, dropout)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)``."""
        flat = ops.reshape(fields, (-1, fields.shape[1] * fields.shape[2]))
        return {"logits": self.towers(flat, training=training)}
