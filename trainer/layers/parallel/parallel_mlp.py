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

    Between the layers activations lie apart, copy by copy, and are joined at the end: with the rows
    outside each layer would turn them before and after its product, and in both of its gradients
    once more. Normalisation has them row by row.

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
        self.hidden_layers = [
            ParallelDense(
                copies,
                units,
                activation if plain else None,
                use_bias=normalization != "batch",
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

    def call(
        self,
        inputs: keras.KerasTensor | list[keras.KerasTensor],
        training: bool = False,
        runs: Sequence[int] | None = None,
        apart: bool = False,
    ) -> keras.KerasTensor | list[keras.KerasTensor]:
        """Applies every MLP to its own input, or several to one; see `ParallelDense`."""
        # What goes over all copies at once; units are drawn for rows of copies.
        joins = bool(self.normalizations) or (training and self.dropout.rate > 0.0)
        outputs = inputs
        for place, layer in enumerate(self.hidden_layers):
            is_last = layer is self.hidden_layers[-1]
            outputs = layer(outputs, runs=runs, apart=not joins and (apart or not is_last))
            runs = None
            if not joins:
                continue
            if self.normalizations:
                flag = {"training": training} if self.batch else {}
                outputs = self.activation(self.normalizations[place](outputs, **flag))
            outputs = self.dropout(outputs, training=training)  # (B, copies, units)
        if apart and joins:
            return ops.unstack(outputs, axis=1)
        return outputs
