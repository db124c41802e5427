"""Several multi-layer perceptrons of the same size: experts, towers, bottoms."""

from collections.abc import Sequence

import keras

from trainer.layers.parallel_dense import ParallelDense


class ParallelMLP(keras.layers.Layer):
    """`copies` independent MLPs, one contraction per layer for all of them.

    Shapes: ``(B, n)`` or ``(B, copies, n)`` to ``(B, copies, hidden[-1])``.

    Args:
        copies: number of MLPs.
        hidden: widths of the layers; every layer has a ReLU and, in training, dropout.
        dropout: share of the units that are dropped.
        activation: name of a Keras activation.

    Raises:
        ValueError: `hidden` is empty.
    """

    def __init__(
        self, copies: int, hidden: Sequence[int], dropout: float = 0.0, activation: str = "relu"
    ):
        super().__init__()
        if not hidden:
            raise ValueError("an MLP needs at least one layer; received hidden = []")
        self.hidden_layers = [ParallelDense(copies, units, activation) for units in hidden]
        self.dropout = keras.layers.Dropout(dropout)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """See the class."""
        outputs = inputs
        for layer in self.hidden_layers:
            outputs = self.dropout(layer(outputs), training=training)  # (B, copies, units)
        return outputs
