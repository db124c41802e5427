"""Several dense layers of the same size, computed as one contraction."""

import math

import keras
from keras import ops

from mtlx.trainer.layers.known_size import known_size


class ParallelDense(keras.layers.Layer):
    """y_c = activation(x_c W_c + b_c) for `copies` independent pairs W_c, b_c.

    Every copy's kernel is drawn as Glorot's uniform initialiser draws that of a lone dense layer;
    Keras's own would count the copies as part of the fan.

    Shapes: ``(B, n)``, one input for all copies, or ``(B, copies, n)``, one for each, to
    ``(B, copies, units)``.

    Args:
        copies: number of layers.
        units: output width of each.
        activation: name of a Keras activation, or None for a linear layer.
        use_bias: whether there is a b_c; it starts at 0.
    """

    def __init__(
        self, copies: int, units: int, activation: str | None = None, use_bias: bool = True
    ):
        super().__init__()
        self.copies = copies
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the kernel ``(copies, n, units)`` and the bias ``(copies, units)``."""
        width = known_size(input_shape[-1])
        limit = math.sqrt(6.0 / (width + self.units))
        self.kernel = self.add_weight(
            shape=(self.copies, width, self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.copies, self.units), initializer="zeros", name="bias"
            )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Applies every copy to its own input, or all to one."""
        equation = "bi,cio->bco" if len(inputs.shape) == 2 else "bci,cio->bco"
        outputs = ops.einsum(equation, inputs, self.kernel)  # (B, c, units)
        if self.bias is not None:
            outputs = outputs + self.bias
        return self.activation(outputs)
