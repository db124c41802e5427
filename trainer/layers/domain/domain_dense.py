"""Dense layers with weights of their own for every domain."""

import math

import keras
from keras import ops

from mtlx.trainer.layers.domain.own_domain import of_own_domain
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.rows_of import rows_of


class DomainDense(keras.layers.Layer):
    """y_c = activation(x_c W_dc + b_dc) with d the row's own domain, for `copies` layers.

    All domains are computed in one contraction and the row's own is read: a kernel fetched for
    every row would be B times as large as one, and domains are few.

    Shapes: ``(B, n)``, one input for all copies, or ``(B, copies, n)``, and domain ids ``(B,)``
    to ``(B, copies, units)``.

    Args:
        domains: D.
        copies: number of layers of each domain.
        units: output width of each.
        activation: name of a Keras activation, or None for a linear layer.
        use_bias: whether there is a b_dc; it starts at 0.
    """

    def __init__(
        self,
        domains: int,
        copies: int,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
    ):
        super().__init__()
        self.domains, self.copies, self.units = domains, copies, units
        self.use_bias = use_bias
        self.activation = keras.activations.get(activation)

    def build(self, inputs_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates the kernel ``(D, copies, n, units)`` and the bias ``(D, copies, units)``."""
        width = known_size(inputs_shape[-1])
        limit = math.sqrt(6.0 / (width + self.units))
        self.kernel = self.add_weight(
            shape=(self.domains, self.copies, width, self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.domains, self.copies, self.units), initializer="zeros", name="bias"
            )

    def call(self, inputs: keras.KerasTensor, domain_ids: keras.KerasTensor) -> keras.KerasTensor:
        """Applies the layers of the rows' own domains ``(B,)``."""
        if len(inputs.shape) == 2:
            kernel = ops.einsum("dcio->idco", self.kernel)
            outputs = self._own(inputs, kernel, domain_ids)
            outputs = ops.reshape(outputs, (-1, self.copies, self.units))
        else:
            # A contraction of all copies turns inputs and outputs before and after its products.
            kernels = ops.unstack(ops.einsum("dcio->cido", self.kernel), self.copies, axis=0)
            parts = ops.unstack(inputs, self.copies, axis=1)
            own = [self._own(*each, domain_ids) for each in zip(parts, kernels, strict=True)]
            outputs = ops.stack(own, axis=1)
        if self.bias is not None:
            outputs = outputs + rows_of(self.bias, domain_ids)
        return self.activation(outputs)

    def _own(
        self, inputs: keras.KerasTensor, kernel: keras.KerasTensor, domain_ids: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Rows ``(B, n)`` times kernels ``(n, D, ...)`` of their own domains, ``(B, m)``."""
        made = ops.matmul(inputs, ops.reshape(kernel, (kernel.shape[0], -1)))
        return of_own_domain(
            ops.reshape(made, (-1, self.domains, made.shape[-1] // self.domains)), domain_ids
        )
