"""Towers of every pair of domain and task, read at the row's own domain."""

from collections.abc import Sequence

import keras

from mtlx.trainer.layers.domain.domain_dense import DomainDense
from mtlx.trainer.layers.parallel.normalization import Normalization, domain_normalization_layer
from mtlx.trainer.layers.told import REPRESENTATION, tell


class DomainTowers(keras.layers.Layer):
    """D·T MLPs with one logit each; a row is scored by the T of its own domain.

    Shapes: ``(B, n)``, the same for all tasks, or ``(B, T, n)``, and domain ids ``(B,)`` to
    logits ``(B, T)``.

    Args:
        domains: D.
        tasks: T.
        hidden: widths of each tower's hidden layers; empty for a linear tower.
        dropout: share of the hidden units that are dropped in training.
        normalization: before every ReLU: ``none``, ``batch`` or ``layer``, with weights of every
            domain and, for ``batch``, statistics of its own rows; there are no biases then.
    """

    def __init__(
        self,
        domains: int,
        tasks: int,
        hidden: Sequence[int],
        dropout: float = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.batch = normalization == "batch"
        self.hidden_layers = [
            DomainDense(domains, tasks, units, use_bias=not self.batch) for units in hidden
        ]
        self.normalizations = [
            layer
            for _ in hidden
            if (layer := domain_normalization_layer(normalization, domains)) is not None
        ]
        self.dropout = keras.layers.Dropout(dropout)
        self.output_layer = DomainDense(domains, tasks, 1)

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """All weights: the first axis of each is the domain."""
        return self.trainable_variables

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(
        self,
        inputs: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> keras.KerasTensor:
        """Logits ``(B, T)`` of the rows' own domains."""
        outputs = inputs
        for place, layer in enumerate(self.hidden_layers):
            outputs = layer(outputs, domain_ids)  # (B, T, units)
            if self.normalizations:
                flag = {"training": training} if self.batch else {}
                outputs = self.normalizations[place](outputs, domain_ids, **flag)
            outputs = self.dropout(keras.ops.relu(outputs), training=training)
        tell(REPRESENTATION, outputs)
        return self.output_layer(outputs, domain_ids)[:, :, 0]  # (B, T)
