"""A trainable factor for each number of a vector."""

import keras


class Gain(keras.layers.Layer):
    """x ⊙ g, g ``(k,)``: what a layer adds to a network, at first at a size that is chosen.

    Residual branches of deep Transformers start in this way (LayerScale, Touvron 2021).

    Args:
        start: of all of g.
    """

    def __init__(self, start: float):
        super().__init__()
        self.start = start

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates g."""
        self.factors = self.add_weight(
            shape=input_shape[-1:],
            initializer=keras.initializers.Constant(self.start),
            name="factors",
        )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """``(..., k)`` to ``(..., k)``."""
        return inputs * self.factors
