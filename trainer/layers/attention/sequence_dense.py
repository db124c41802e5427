"""A dense layer at every position of several sequences."""

import math
from collections.abc import Callable, Sequence

import keras
from keras import ops

from mtlx.trainer.layers.known_size import known_size

Activation = Callable[[keras.KerasTensor], keras.KerasTensor]


class SequenceDense(keras.layers.Layer):
    """y_cl = activation(x_cl (W_c ⊙ F_c) + b_c ⊙ f_c) at position l of sequence c.

    W_c and b_c are each sequence's own, or the same for all. F and f, by default 1, are given
    from outside: they adapt shared weights to each sequence. Every kernel is drawn by Glorot's
    uniform initialiser as that of a lone dense layer.

    The positions of all sequences that share weights are the rows of one plain product, which
    backends compute together with bias and activation. A contraction over sequences and positions
    turns its inputs and outputs; its gradient by the kernel took more than the layer does now.

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
        inputs: keras.KerasTensor | list[keras.KerasTensor],
        kernel_factor: keras.KerasTensor | None = None,
        bias_factor: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor | list[keras.KerasTensor]:
        """Applies W and b, scaled by factors F ``(C, n, units)`` and f ``(C, units)`` if given.

        Args:
            inputs: see above; or a list of every sequence's positions as rows ``(N, n)``, of which
                a list comes ``(N, units)``.
            kernel_factor: F.
            bias_factor: f.
        """
        kernel, bias = self.kernel_by(kernel_factor), self._bias_by(bias_factor)
        if isinstance(inputs, (list, tuple)):
            return self._of_each(inputs, kernel, bias)
        if len(kernel.shape) == 2 and (bias is None or len(bias.shape) == 1):
            rows = self.of_rows(ops.reshape(inputs, (-1, inputs.shape[-1])), kernel, bias)
            return ops.reshape(rows, (-1, *ops.shape(inputs)[1:-1], self.units))
        return joined(self._of_each(sequences_apart(inputs), kernel, bias), inputs)

    def _of_each(
        self,
        inputs: Sequence[keras.KerasTensor],
        kernel: keras.KerasTensor,
        bias: keras.KerasTensor | None,
    ) -> list[keras.KerasTensor]:
        """Rows ``(N, n)`` of every sequence by its own weights, or by those that all share."""
        count = len(inputs)
        kernels = ops.unstack(kernel, axis=0) if len(kernel.shape) == 3 else [kernel] * count
        biases = [bias] * count
        if bias is not None and len(bias.shape) == 2:
            biases = ops.unstack(bias, axis=0)
        return [self.of_rows(*each) for each in zip(inputs, kernels, biases, strict=True)]

    def kernel_by(self, factor: keras.KerasTensor | None = None) -> keras.KerasTensor:
        """W, or W ⊙ F, ``([C,] n, units)``."""
        kernel = ops.convert_to_tensor(self.kernel)
        return kernel if factor is None else kernel * factor

    def _bias_by(self, factor: keras.KerasTensor | None) -> keras.KerasTensor | None:
        """b, or b ⊙ f, ``([C,] units)``."""
        if self.bias is None:
            return None
        bias = ops.convert_to_tensor(self.bias)
        return bias if factor is None else bias * factor

    def of_copy(self, rows: keras.KerasTensor, copy: int) -> keras.KerasTensor:
        """Positions ``(N, n)`` of one sequence to ``(N, units)``, where each has its own weights.

        For rows that lie apart anyway. The layer has to be built.
        """
        return self.of_rows(rows, self.kernel[copy], None if self.bias is None else self.bias[copy])

    def of_rows(
        self, rows: keras.KerasTensor, kernel: keras.KerasTensor, bias: keras.KerasTensor | None
    ) -> keras.KerasTensor:
        """The activation of rows ``(N, n)`` times a kernel ``(n, m)``, with a bias ``(m,)``."""
        outputs = ops.matmul(rows, kernel)
        return self.activation(outputs if bias is None else outputs + bias)


def sequences_apart(values: keras.KerasTensor) -> list[keras.KerasTensor]:
    """``(B, C, L, n)`` as the positions ``(B · L, n)`` of each sequence."""
    return [
        ops.reshape(each, (-1, values.shape[-1]))
        for each in ops.unstack(values, values.shape[1], axis=1)
    ]


def joined(rows: Sequence[keras.KerasTensor], like: keras.KerasTensor) -> keras.KerasTensor:
    """Positions ``(B · L, n)`` of each sequence as ``(B, C, L, n)``, B and L those of another."""
    shape = (-1, ops.shape(like)[2], rows[0].shape[-1])
    return ops.stack([ops.reshape(each, shape) for each in rows], axis=1)
