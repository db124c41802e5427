"""Layer normalisation in several sequences, adapted to each from outside."""

import keras
from keras import ops


class ConditionalLayerNormalization(keras.layers.Layer):
    """CLN_c(x) = γ_c ⊙ γ ⊙ (x − μ) / sqrt(σ² + ε) + β_c + β (DTRN paper, Eq. 6).

    γ and β are weights, of each sequence or the same for all; γ_c and β_c are given from outside.
    Without them this is the plain layer normalisation.

    Args:
        copies: C where every sequence has weights of its own, None where they share them.
        epsilon: ε.
    """

    def __init__(self, copies: int | None = None, epsilon: float = 1e-5):
        super().__init__()
        self.copies = copies
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates γ (ones) and β (zeros), ``([C, 1,] k)``."""
        own = () if self.copies is None else (self.copies, 1)
        shape = (*own, input_shape[-1])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(
        self,
        inputs: keras.KerasTensor,
        scale: keras.KerasTensor | None = None,
        shift: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Normalises over the last axis.

        Args:
            inputs: ``(B, C, L, k)``.
            scale: γ_c for P sequences, ``(P, k)``. Where P = n·C, each of the C inputs is
                normalised once and adapted n times: sequence i·C + c is made from input c.
            shift: β_c, likewise; given if and only if `scale` is.

        Returns:
            ``(B, C, L, k)`` or ``(B, P, L, k)``.
        """
        # Squares of float16 values overflow, so the statistics are taken in float32.
        values = ops.cast(inputs, "float32")
        centred = values - ops.mean(values, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = ops.cast(centred * ops.rsqrt(variance + self.epsilon), inputs.dtype)
        normal = normal * self.scale
        if scale is None:
            return normal + self.shift
        sequences, length, width = ops.shape(inputs)[1:]
        pairs = (-1, sequences, 1, width)
        outputs = normal[:, None] * ops.reshape(scale, pairs)  # (B, P / C, C, L, k)
        outputs = outputs + ops.reshape(shift, pairs) + self.shift
        return ops.reshape(outputs, (-1, scale.shape[0], length, width))
