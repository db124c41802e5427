"""Several multi-layer perceptrons of the same size: experts, towers, bottoms."""

from collections.abc import Sequence

import keras
from keras import ops

from mtlx.trainer.layers.parallel.normalization import Normalization, normalization_layer
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense


class ParallelMLP(keras.layers.Layer):
    """`copies` independent MLPs, one contraction per layer for all of them.

    A layer is dropout(activation(norm(x W + b))). Batch normalisation takes the mean out, so that
    b would say nothing beside its own shift: there is none then.

    Between the layers activations lie copy by copy, ``(copies, B, n)``, and are turned at the ends:
    with the rows outside each layer would turn them before and after its product, and in both of
    its gradients once more. Normalisation has them row by row.

    Shapes: ``(B, n)`` or ``(B, copies, n)`` to ``(B, copies, hidden[-1])``.

    Args:
        copies: number of MLPs.
        hidden: widths of the layers; every layer has a ReLU and, in training, dropout.
        dropout: share of the units that are dropped.
        activation: name of a Keras activation.
        normalization: before every activation: ``none``, ``batch`` or ``layer``.

    Raises:
        ValueError: `hidden` is empty.
    """

    def __init__(
        self,
        copies: int,
        hidden: Sequence[int],
        dropout: float = 0.0,
        activation: str = "relu",
        normalization: Normalization = "none",
    ):
        super().__init__()
        if not hidden:
            raise ValueError("an MLP needs at least one layer; received hidden = []")
        plain = normalization == "none"
        self.copies_first = plain and len(hidden) > 1
        self.hidden_layers = [
            ParallelDense(
                copies,
                units,
                activation if plain else None,
                use_bias=normalization != "batch",
                copies_first=self.copies_first,
            )
            for units in hidden
        ]
        self.normalizations: list[keras.layers.Layer] = [
            normalization_layer(normalization, copies) for _ in hidden if not plain
        ]
        self.batch = normalization == "batch"
        self.activation = keras.activations.get(activation)
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Applies every MLP to its own input, or all to one."""
        if self.copies_first:
            return self._copy_by_copy(inputs, training)
        outputs = inputs
        for place, layer in enumerate(self.hidden_layers):
            outputs = layer(outputs)  # (B, copies, units)
            if self.normalizations:
                flag = {"training": training} if self.batch else {}
                outputs = self.activation(self.normalizations[place](outputs, **flag))
            outputs = self.dropout(outputs, training=training)
        return outputs

    def _copy_by_copy(self, inputs: keras.KerasTensor, training: bool) -> keras.KerasTensor:
        outputs = inputs if len(inputs.shape) == 2 else _turned(inputs)
        for layer in self.hidden_layers[:-1]:
            outputs = layer(outputs)  # (copies, B, units)
            if training and self.dropout.rate:
                # Drawn as for rows of copies, so that what a seed gives is the same either way.
                outputs = _turned(self.dropout(_turned(outputs), training=training))
        outputs = _turned(self.hidden_layers[-1](outputs))
        return self.dropout(outputs, training=training)


def _turned(values: keras.KerasTensor) -> keras.KerasTensor:
    """``(B, copies, n)`` to ``(copies, B, n)``, and back."""
    return ops.transpose(values, (1, 0, 2))
