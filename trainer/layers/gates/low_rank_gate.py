"""Feature gates: each group of experts sees the input in a light of its own."""

import keras

from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense


class LowRankGate(keras.layers.Layer):
    """v ⊙ δ_c(v), δ_c(v) = 2 · sigmoid(v B_c A_c), B_c ``(n, rank)``, A_c ``(rank, n)``.

    The feature gate of HoME (Wang et al. 2024). Small inputs are let through nearly as they are.

    Shapes: ``(B, n)``, one input for all copies, or ``(B, copies, n)`` to ``(B, copies, n)``.

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
        self.up = ParallelDense(self.copies, input_shape[-1], "sigmoid", use_bias=False)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """The gated inputs ``(B, copies, n)``."""
        gates = 2.0 * self.up(self.down(inputs))
        return gates * (inputs if len(inputs.shape) == 3 else inputs[:, None])
