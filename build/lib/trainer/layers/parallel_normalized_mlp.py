"""Several multi-layer perceptrons with layer normalisation."""

from collections.abc import Sequence

import keras
from keras import ops

from trainer.layers.parallel_dense import ParallelDense
from trainer.layers.parallel_layer_normalization import ParallelLayerNormalization


class ParallelNormalizedMLP(keras.layers.Layer):
    """`copies` independent MLPs whose layers are ReLU(LN(x W + b)).

    Shapes: ``(B, n)`` or ``(B, copies, n)`` to ``(B, copies, hidden[-1])``.

    Args:
        copies: number of MLPs.
        hidden: widths of the layers.
        dropout: share of the units that are dropped in training.
    """

    def __init__(self, copies: int, hidden: Sequence[int], dropout: float = 0.0):
        super().__init__()
        self.hidden_layers = [ParallelDense(copies, units) for units in hidden]
        self.normalizations = [ParallelLayerNormalization(copies) for _ in hidden]
        self.dropout = keras.layers.Dropout(dropout)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """See the class."""
        outputs = inputs
        for layer, normalization in zip(self.hidden_layers, self.normalizations, strict=True):
            outputs = ops.relu(normalization(layer(outputs)))  # (B, copies, units)
            outputs = self.dropout(outputs, training=training)
        return outputs
