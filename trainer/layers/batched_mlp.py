"""Several multi-layer perceptrons side by side."""

from collections.abc import Sequence

import keras

from trainer.layers.batched_dense import BatchedDense


class BatchedMLP(keras.layers.Layer):
    """``copies`` independent MLPs, layer by layer as one contraction.

    Args:
        copies: number of MLPs.
        units: widths of the layers.
        last_activation: activation of the last layer; the others have ReLU.
        dropout: rate after every hidden layer.
    """

    def __init__(
        self,
        copies: int,
        units: Sequence[int],
        last_activation: str | None = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        last = len(units) - 1
        self.layers = [
            BatchedDense(copies, width, last_activation if index == last else "relu")
            for index, width in enumerate(units)
        ]
        self.dropout = keras.layers.Dropout(dropout) if dropout else None

    def call(self, x: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """``(B, n)`` or ``(B, copies, n)`` → ``(B, copies, units[-1])``."""
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if self.dropout is not None and index + 1 < len(self.layers):
                x = self.dropout(x, training=training)
        return x
