"""Towers of every pair of domain and task, read at the row's own domain."""

from collections.abc import Sequence

import keras

from trainer.layers.domain_dense import DomainDense
from trainer.layers.domain_layer_normalization import DomainLayerNormalization


class DomainTowers(keras.layers.Layer):
    """D·T MLPs with one logit each; a row is scored by the T of its own domain.

    Shapes: ``(B, n)``, the same for all tasks, or ``(B, T, n)``, and domain ids ``(B,)`` to
    logits ``(B, T)``.

    Args:
        domains: D.
        tasks: T.
        hidden: widths of each tower's hidden layers; empty for a linear tower.
        dropout: share of the hidden units that are dropped in training.
        normalize: layer normalisation before every ReLU.
    """

    def __init__(
        self,
        domains: int,
        tasks: int,
        hidden: Sequence[int],
        dropout: float = 0.0,
        normalize: bool = False,
    ):
        super().__init__()
        self.hidden_layers = [DomainDense(domains, tasks, units) for units in hidden]
        self.normalizations = [DomainLayerNormalization(domains) for _ in hidden if normalize]
        self.dropout = keras.layers.Dropout(dropout)
        self.output_layer = DomainDense(domains, tasks, 1)

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """All weights: the first axis of each is the domain."""
        return self.trainable_variables

    def call(
        self,
        inputs: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> keras.KerasTensor:
        """See the class."""
        outputs = inputs
        for place, layer in enumerate(self.hidden_layers):
            outputs = layer(outputs, domain_ids)  # (B, T, units)
            if self.normalizations:
                outputs = self.normalizations[place](outputs, domain_ids)
            outputs = self.dropout(keras.ops.relu(outputs), training=training)
        return self.output_layer(outputs, domain_ids)[:, :, 0]  # (B, T)
