"""Feature gates: each group of experts sees the input in a light of its own."""

import keras
from keras import ops

from mtlx.trainer.layers.known_size import last_size
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense


class LowRankGate(keras.layers.Layer):
    """v ⊙ δ_c(v), δ_c(v) = 2 · sigmoid(v B_c A_c), B_c ``(n, rank)``, A_c ``(rank, n)``.

    The feature gate of HoME (Wang et al. 2024). Small inputs are let through nearly as they are.

    Shapes: ``(B, n)``, one input for all copies, or ``(B, copies, n)`` to ``(B, n)`` of each copy.

    Args:
        copies: number of gates.
        rank: of the map from input to gate.
    """

    def __init__(self, copies: int, rank: int):
        super().__init__()
        self.copies = copies
        self.down = ParallelDense(copies, rank, use_bias=False)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Makes the map back to the input's width."""
        self.up = ParallelDense(self.copies, last_size(input_shape), "sigmoid", use_bias=False)

    def call(self, inputs: keras.KerasTensor | list[keras.KerasTensor]) -> list[keras.KerasTensor]:
        """The gated inputs, or a list of each copy's, as a list of ``(B, n)``."""
        gates = self.up(self.down(inputs, apart=True), apart=True)
        if not isinstance(inputs, (list, tuple)):
            several = len(inputs.shape) == 3
            inputs = ops.unstack(inputs, axis=1) if several else [inputs] * self.copies
        return [2.0 * gate * each for gate, each in zip(gates, inputs, strict=True)]
