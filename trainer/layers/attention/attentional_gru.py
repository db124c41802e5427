"""Gated recurrent units whose steps are weighed from outside, for several sequences at once."""

import math

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.shared_rows import for_rows_of


class AttentionalGRU(keras.layers.Layer):
    """AUGRU (Zhou 2019): h_l = (1 − a_l u_l) ⊙ h_{l−1} + a_l u_l ⊙ c_l, for each sequence.

    u_l = σ(W_u x_l + U_u h + b_u), r_l = σ(W_r x_l + U_r h + b_r) and
    c_l = tanh(W_c x_l + r_l ⊙ U_c h + b_c), where h = h_{l−1} and h_0 = 0. With a_l = 1 this is
    a GRU; a_l = 0 leaves the state as it is, so that padding is skipped.

    Every sequence has weights of its own; all of them are one recurrence. What does not depend
    on the state is computed for all steps at once.

    Args:
        copies: C, number of sequences.
        all_states: whether all states are given, or the last one alone.
    """

    def __init__(self, copies: int, all_states: bool = True):
        super().__init__()
        self.copies, self.all_states = copies, all_states

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates all weights; states are as wide as the inputs."""
        units = known_size(input_shape[-1])
        self.projection = SequenceDense(3 * units, self.copies)
        self.projection.build(input_shape)
        self.recurrence = keras.layers.RNN(
            AttentionalCell(self.copies, units), return_sequences=self.all_states
        )
        self.recurrence.build((None, None, self.copies * (3 * units + 1)))

    def call(self, inputs: keras.KerasTensor, attention: keras.KerasTensor) -> keras.KerasTensor:
        """All states of all sequences.

        Args:
            inputs: x, ``(B, C, L, k)``; of one row where it is the same beside all attentions.
            attention: a, ``(B, C, L)`` float.

        Returns:
            ``(B, C, L, k)``; behind the last real position the state stays what it is there. The
            last one alone is ``(B, C, k)``.
        """
        copies, length, units = inputs.shape[1:]
        attention = ops.cast(attention, self.compute_dtype)
        projected = for_rows_of(self.projection(inputs), attention)
        steps = ops.concatenate([projected, attention[..., None]], axis=-1)
        steps = ops.reshape(
            ops.transpose(steps, (0, 2, 1, 3)), (-1, length, copies * (3 * units + 1))
        )
        states = self.recurrence(steps)
        if not self.all_states:
            return ops.reshape(states, (-1, copies, units))
        return ops.transpose(ops.reshape(states, (-1, length, copies, units)), (0, 2, 1, 3))


class AttentionalCell(keras.layers.Layer):
    """One step: inputs ``(B, C·(3k + 1))``, projected, with each a at the end of its sequence's.

    The state is one ``(B, k)`` of each sequence, the output all of them side by side.
    """

    def __init__(self, copies: int, units: int):
        super().__init__()
        self.copies, self.units = copies, units
        self.state_size, self.output_size = [units] * copies, copies * units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates U_u, U_r and U_c side by side, ``(C, k, 3k)``."""
        limit = math.sqrt(3.0 / self.units)
        self.kernel = self.add_weight(
            shape=(self.copies, self.units, 3 * self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )

    def call(
        self, inputs: keras.KerasTensor, states: list[keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
        """Gives the new states, side by side as output and as states."""
        sizes = [self.units, self.units, self.units, 1] * self.copies
        # At once: the gradient of a slice is as large as what it was taken from.
        parts = ops.split(inputs, np.cumsum(sizes)[:-1].tolist(), axis=-1)
        kernels = ops.unstack(ops.convert_to_tensor(self.kernel), self.copies, axis=0)
        made = []
        for copy, (before, kernel) in enumerate(zip(states, kernels, strict=True)):
            x_update, x_reset, x_candidate, attention = parts[4 * copy : 4 * copy + 4]
            recurrent = ops.matmul(before, kernel)
            h_update, h_reset, h_candidate = ops.split(recurrent, 3, axis=-1)
            update = attention * ops.sigmoid(x_update + h_update)
            candidate = ops.tanh(x_candidate + ops.sigmoid(x_reset + h_reset) * h_candidate)
            made.append(before + update * (candidate - before))
        return (made[0] if self.copies == 1 else ops.concatenate(made, axis=-1)), made
