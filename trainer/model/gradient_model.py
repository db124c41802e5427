"""What a training that follows gradients asks of a model."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.networks.network import DEFAULT_LOSSES


class GradientModel(keras.Model):
    """Base of the models whose trainable weights are all that they learn.

    It scores as a `mtlx.trainer.model.scorer.Scorer` does. What stands here is true of a model
    without gates, embeddings and fusion weights that is trained on the cross-entropy.

    Attributes:
        default_losses: what it is trained with where `training.loss` names nothing.
        gate_names: task to the names of the experts whose weights "gates/<task>" holds, in order;
            empty for a model without gates.
    """

    default_losses: Sequence[dict[str, Any]] = DEFAULT_LOSSES
    gate_names: Mapping[str, list[str]] = MappingProxyType({})

    @property
    def embeddings(self) -> list[FieldEmbedding]:
        """The stages whose tables of ids have an optimiser and a learning rate of their own."""
        return []

    @property
    def fusion_variables(self) -> list[keras.Variable]:
        """Weights that weigh parts against each other, which a bi-level method trains apart."""
        return []

    def drop_training_parts(self) -> None:
        """Drops what only the training needs, before the model is exported; here nothing."""
