"""Several dense layers of the same size, computed as one contraction."""

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.known_size import last_size


class ParallelDense(keras.layers.Layer):
    """y_c = activation(x_c W_c + b_c) for `copies` independent pairs W_c, b_c.

    Every copy's kernel is drawn as Glorot's uniform initialiser draws that of a lone dense layer;
    Keras's own would count the copies as part of the fan.

    Each run of copies with one input is one plain product, which backends compute together with
    bias and activation: one contraction of all copies would turn inputs and outputs, and go over
    them again for each of the two.

    Shapes: ``(B, n)``, one input for all copies, or ``(B, copies, n)``, one for each, to
    ``(B, copies, units)``; see `call` for inputs and outputs that lie apart.

    Args:
        copies: number of layers.
        units: output width of each.
        activation: name of a Keras activation of single numbers, or None for a linear layer.
        use_bias: whether there is a b_c; it starts at 0.
    """

    def __init__(
        self,
        copies: int,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
    ):
        super().__init__()
        self.copies = copies
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the kernel ``(copies, n, units)`` and the bias ``(copies, units)``."""
        width = last_size(input_shape)
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

    def call(
        self,
        inputs: keras.KerasTensor | list[keras.KerasTensor],
        runs: Sequence[int] | None = None,
        apart: bool = False,
    ) -> keras.KerasTensor | list[keras.KerasTensor]:
        """Applies every copy to its own input, or several to one.

        Args:
            inputs: as above, or a list of ``(B, n)``.
            runs: of a list, how many copies, one after the other, each input is for; None for one.
            apart: whether the outputs are a list of ``(B, units)``, one of each copy.
        """
        parts, runs = self._parts(inputs, runs)
        ends = np.cumsum(runs)[:-1].tolist()
        kernels = _split(ops.convert_to_tensor(self.kernel), ends)
        biases: list[keras.KerasTensor | None] = [None] * len(parts)
        if self.bias is not None:
            biases = _split(ops.convert_to_tensor(self.bias), ends)
        outputs = [self._of_run(*each) for each in zip(parts, kernels, biases, strict=True)]
        if not apart:
            joined = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=1)
            return ops.reshape(joined, (-1, self.copies, self.units))
        return [
            copy
            for of_run, size in zip(outputs, runs, strict=True)
            for copy in ([of_run] if size == 1 else ops.split(of_run, size, axis=1))
        ]

    def _parts(
        self, inputs: keras.KerasTensor | list[keras.KerasTensor], runs: Sequence[int] | None
    ) -> tuple[list[keras.KerasTensor], Sequence[int]]:
        """Inputs ``(B, n)``, and how many copies each is for."""
        if isinstance(inputs, (list, tuple)):
            return list(inputs), runs or [1] * len(inputs)
        if len(inputs.shape) == 2:
            return [inputs], [self.copies]
        return ops.unstack(inputs, self.copies, axis=1), [1] * self.copies

    def _of_run(
        self,
        inputs: keras.KerasTensor,
        kernels: keras.KerasTensor,
        biases: keras.KerasTensor | None,
    ) -> keras.KerasTensor:
        """Outputs side by side ``(B, c · units)`` of c copies with one input ``(B, n)``."""
        # A product of each copy would read the inputs, and add up their gradients, once per copy.
        flat = ops.transpose(kernels, (1, 0, 2)) if kernels.shape[0] > 1 else kernels
        outputs = ops.matmul(inputs, ops.reshape(flat, (kernels.shape[1], -1)))
        if biases is not None:
            outputs = outputs + ops.reshape(biases, (-1,))
        return self.activation(outputs)


def _split(weights: keras.KerasTensor, ends: list[int]) -> list[keras.KerasTensor]:
    return ops.split(weights, ends, axis=0) if ends else [weights]
