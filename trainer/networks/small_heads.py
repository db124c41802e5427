"""Shared-Bottom with small heads that are there for the training alone."""

from typing import Annotated, Any, ClassVar

import keras
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import DEFAULT_LOSSES, Network
from mtlx.transform.contract.model_inputs import ModelInputs


class SmallHeads(Network):
    """Shared-Bottom with an auxiliary, under-parameterised head per task (Wang Y. 2022).

    s = MLP(x), logit_t = tower_t(s) and auxiliary logit_t = head_t(s). A head too small to fit its
    task by itself makes the shared bottom learn what generalises. The heads are trained with
    the loss `small_heads` and left out of the exported model.

    Shown to learn:
        A bottom that holds more of what is common to tasks: linear models of 200 rows on it reach
        AUC 0.828 and 0.828 (two seeds; 0.849 is possible), 0.809 and 0.797 where the heads' loss
        has no weight; the towers, which can do without, gain 0.003 and 0.005
        (`test_small_heads_learn`). On the log `transfer` of `benchmarks.planted_networks` nothing
        is gained over a Shared-Bottom.

    Args:
        inputs: the tasks.
        bottom_hidden: widths of the shared MLP's layers.
        tower_hidden: widths of each tower's hidden layers.
        head_hidden: widths of each small head's hidden layers; empty for linear heads.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    default_losses: ClassVar[tuple[dict[str, Any], ...]] = (
        *DEFAULT_LOSSES,
        {"name": "small_heads"},
    )

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        bottom_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (512, 256),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        head_hidden: tuple[PositiveInt, ...] = (),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.bottom = ParallelMLP(1, bottom_hidden, dropout, normalization=normalization)
        self.towers = Towers(len(inputs.tasks), tower_hidden, dropout, normalization)
        # In a list, because Keras and TensorFlow forget a layer that is taken out of one.
        self.small_heads = [Towers(len(inputs.tasks), head_hidden, dropout, normalization)]

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" and, unless dropped, "auxiliary_logits" ``(B, T)``."""
        shared = self.bottom(flatten(fields), training=training)[:, 0]  # (B, h)
        outputs = {"logits": self.towers(shared, training=training)}
        for heads in self.small_heads:
            outputs["auxiliary_logits"] = heads(shared, training=training)
        return outputs

    def drop_training_parts(self) -> None:
        """Drops the small heads."""
        self.small_heads.clear()
