"""A dense layer at every position of several sequences."""

import math
from collections.abc import Callable

import keras
from keras import ops

from mtlx.trainer.layers.known_size import known_size

Activation = Callable[[keras.KerasTensor], keras.KerasTensor]


class SequenceDense(keras.layers.Layer):
    """y_cl = activation(x_cl (W_c ⊙ F_c) + b_c ⊙ f_c) at position l of sequence c.

    W_c and b_c are each sequence's own, or the same for all. F and f, by default 1, are given
    from outside: they adapt shared weights to each sequence. Every kernel is drawn by Glorot's
    uniform initialiser as that of a lone dense layer.

    Shapes: ``(B, C, L, n)`` to ``(B, C, L, units)``.

    Args:
        units: output width.
        copies: C where every sequence has weights of its own, None where they share them.
        activation: a Keras activation or its name, or None for a linear layer.
        use_bias: whether there is a b; it starts at 0.
    """

    def __init__(
        self,
        units: int,
        copies: int | None = None,
        activation: str | Activation | None = None,
        use_bias: bool = True,
    ):
        super().__init__()
        self.units = units
        self.copies = copies
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the kernel ``([C,] n, units)`` and the bias ``([C,] units)``."""
        width = known_size(input_shape[-1])
        own = () if self.copies is None else (self.copies,)
        limit = math.sqrt(6.0 / (width + self.units))
        self.kernel = self.add_weight(
            shape=(*own, width, self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(*own, self.units), initializer="zeros", name="bias")

    def call(
        self,
        inputs: keras.KerasTensor,
        kernel_factor: keras.KerasTensor | None = None,
        bias_factor: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Applies W and b, scaled by factors F ``(C, n, units)`` and f ``(C, units)`` if given."""
        kernel, bias = self.kernel, self.bias
        if kernel_factor is not None:
            kernel = kernel * kernel_factor
        equation = "bcli,io->bclo" if len(kernel.shape) == 2 else "bcli,cio->bclo"
        outputs = ops.einsum(equation, inputs, kernel)  # (B, C, L, units)
        if bias is not None:
            if bias_factor is not None:
                bias = bias * bias_factor
            outputs = outputs + (bias if len(bias.shape) == 1 else bias[:, None])
        return self.activation(outputs)

    def of_copy(self, rows: keras.KerasTensor, copy: int) -> keras.KerasTensor:
        """Positions ``(N, n)`` of one sequence to ``(N, units)``, where each has its own weights.

        One plain product, which backends compute together with bias and activation and without
        turning its inputs: half the time of `call` where inputs and weights are those of few units.
        The layer has to be built.
        """
        return self.of_rows(rows, self.kernel[copy], None if self.bias is None else self.bias[copy])

    def of_rows(
        self, rows: keras.KerasTensor, kernel: keras.KerasTensor, bias: keras.KerasTensor | None
    ) -> keras.KerasTensor:
        """The activation of rows ``(N, n)`` times a kernel ``(n, m)``, with a bias ``(m,)``."""
        outputs = ops.matmul(rows, kernel)
        return self.activation(outputs if bias is None else outputs + bias)
