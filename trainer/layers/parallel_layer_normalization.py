"""Layer normalisation with weights of its own for every copy."""

import keras
from keras import ops


class ParallelLayerNormalization(keras.layers.Layer):
    """LN(x) = γ_c ⊙ (x − mean) / sqrt(variance + ε) + β_c over the last axis.

    Shapes: ``(B, ...)`` to ``(B, ...)``. The weights have the input's shape without the batch,
    so that the axes between (copies, fields) have weights of their own.

    Args:
        epsilon: ε.
    """

    def __init__(self, epsilon: float = 1e-5):
        super().__init__()
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates γ (ones) and β (zeros)."""
        shape = tuple(input_shape[1:])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """See the class."""
        # Squares of float16 values overflow, so the statistics are taken in float32.
        values = ops.cast(inputs, "float32")
        mean, variance = ops.moments(values, axes=-1, keepdims=True)
        normal = (values - mean) * ops.rsqrt(variance + self.epsilon)
        return ops.cast(normal, inputs.dtype) * self.scale + self.shift
