"""The towers on top of a network: one MLP and one logit per task."""

from collections.abc import Sequence

import keras
from keras import ops

from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.told import REPRESENTATION, is_listening, tell


class Towers(keras.layers.Layer):
    """Logits from task representations, all tasks at once.

    Shapes: ``(B, n)``, the same for all tasks, or ``(B, T, n)`` to logits ``(B, T)``.

    Args:
        tasks: T.
        hidden: widths of each tower's hidden layers; empty for a linear tower.
        dropout: share of the hidden units that are dropped in training.
        normalization: of the hidden layers, see `ParallelMLP`.
        places: positions of the tasks among all of the model's; None where they are all.
    """

    def __init__(
        self,
        tasks: int,
        hidden: Sequence[int],
        dropout: float = 0.0,
        normalization: Normalization = "none",
        places: Sequence[int] | None = None,
    ):
        super().__init__()
        self.places = None if places is None else tuple(places)
        self.mlp = None
        if hidden:
            self.mlp = ParallelMLP(tasks, hidden, dropout, normalization=normalization)
        self.output_layer = ParallelDense(tasks, 1)

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Logits ``(B, T)`` of the tasks."""
        hidden = inputs
        if self.mlp is not None:
            hidden = self.mlp(inputs, training=training, apart=True)
        if is_listening():
            told = ops.stack(hidden, axis=1) if isinstance(hidden, list) else hidden
            tell(REPRESENTATION, told, self.places)
        return ops.squeeze(self.output_layer(hidden), axis=-1)  # (B, T)
