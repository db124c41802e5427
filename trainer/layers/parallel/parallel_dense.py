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
    ``(B, copies, units)``; with `copies_first` ``(B, n)`` or ``(copies, B, n)`` to
    ``(copies, B, units)``, which a product of each copy's matrices takes and gives as they lie.

    Args:
        copies: number of layers.
        units: output width of each.
        activation: name of a Keras activation, or None for a linear layer.
        use_bias: whether there is a b_c; it starts at 0.
        copies_first: see above.
    """

    def __init__(
        self,
        copies: int,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        copies_first: bool = False,
    ):
        super().__init__()
        self.copies_first = copies_first
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
        if self.copies_first:
            outputs = self._of_each(inputs)  # (c, B, units)
        else:
            equation = "bi,cio->bco" if len(inputs.shape) == 2 else "bci,cio->bco"
            outputs = ops.einsum(equation, inputs, self.kernel)  # (B, c, units)
        if self.bias is not None:
            outputs = outputs + (self.bias[:, None] if self.copies_first else self.bias)
        return self.activation(outputs)

    def _of_each(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """x_c W_c ``(copies, B, units)``."""
        if len(inputs.shape) == 3:
            return ops.matmul(inputs, self.kernel)
        # One product for all copies, whose outputs are turned: a product of each copy would read
        # the inputs, and add up their gradients, once per copy.
        flat = ops.reshape(ops.transpose(self.kernel, (1, 0, 2)), (inputs.shape[-1], -1))
        outputs = ops.reshape(ops.matmul(inputs, flat), (-1, self.copies, self.units))
        return ops.transpose(outputs, (1, 0, 2))
