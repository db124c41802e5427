"""Several dense layers side by side, as one contraction."""

import keras
from keras import ops


class BatchedDense(keras.layers.Layer):
    """``copies`` independent dense layers: y_c = activation(x_c W_c + b_c).

    Experts, gates and towers come in numbers; one contraction for all of them keeps the cost of
    a step from growing with the number of Python calls.

    Args:
        copies: number of layers.
        units: output width of each.
        activation: name of a Keras activation, or None.
        use_bias: add b_c.
    """

    def __init__(
        self, copies: int, units: int, activation: str | None = None, use_bias: bool = True
    ) -> None:
        super().__init__()
        self.copies, self.units, self.use_bias = copies, units, use_bias
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates W ``(n, copies, units)`` and b ``(copies, units)``."""
        width = input_shape[-1]
        # The fans of one copy, not of the stacked kernel.
        limit = (6.0 / (width + self.units)) ** 0.5
        self.kernel = self.add_weight(
            name="kernel",
            shape=(width, self.copies, self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.copies, self.units), initializer="zeros"
            )

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Applies all copies.

        Args:
            x: ``(B, n)``, the same input for all copies, or ``(B, copies, n)``, one for each.

        Returns:
            ``(B, copies, units)``.
        """
        if len(x.shape) == 2:
            flat = ops.reshape(self.kernel, (-1, self.copies * self.units))
            y = ops.reshape(ops.matmul(x, flat), (-1, self.copies, self.units))
        else:
            y = ops.einsum("bcn,ncu->bcu", x, self.kernel)
        return self.activation(y + self.bias if self.use_bias else y)
