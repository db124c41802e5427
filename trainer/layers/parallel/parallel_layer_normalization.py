"""Layer normalisation with weights of its own for every copy."""

import keras
from keras import ops


class ParallelLayerNormalization(keras.layers.Layer):
    """LN_c(x) = γ_c ⊙ (x − mean) / sqrt(variance + ε) + β_c over the last axis.

    Shapes: ``(B, copies, ..., n)``, or ``(B, 1, ..., n)`` for one input of all copies (its
    statistics are taken once), to ``(B, copies, ..., n)``. The axes between have weights of
    their own too: fields, for one.

    Args:
        copies: number of layers.
        epsilon: ε.
    """

    def __init__(self, copies: int, epsilon: float = 1e-5):
        super().__init__()
        self.copies = copies
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates γ (ones) and β (zeros), ``(copies, ..., n)``."""
        shape = (self.copies, *input_shape[2:])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Normalises the last axis of every copy."""
        # Squares of float16 values overflow, so the statistics are taken in float32.
        values = ops.cast(inputs, "float32")
        centred = values - ops.mean(values, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = ops.cast(centred * ops.rsqrt(variance + self.epsilon), inputs.dtype)
        return normal * self.scale + self.shift
