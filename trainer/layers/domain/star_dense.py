"""A dense layer whose weights are a common part times a domain's own part."""

import math
from typing import Literal

import keras
from keras import ops

from mtlx.trainer.layers.domain.own_domain import of_own_domain
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.rows_of import rows_of


class StarDense(keras.layers.Layer):
    """y = activation(x (W_s ⊙ W_d) + b_s + b_d), d the row's own domain (STAR, Sheng 2021).

    W_s starts as Glorot's uniform initialiser draws it. W_d starts at 1, so that all domains
    begin with the same layer and depart from it as far as their rows ask for; with ``glorot`` it
    is drawn like W_s (the released code of M3oE), which makes the products much smaller than
    either factor.

    Shapes: ``(B, n)`` and domain ids ``(B,)`` to ``(B, units)``.

    Args:
        domains: D.
        units: output width.
        activation: name of a Keras activation, or None for a linear layer.
        start: how W_d starts.
        use_bias: whether there are b_s and b_d.
    """

    def __init__(
        self,
        domains: int,
        units: int,
        activation: str | None = None,
        start: Literal["ones", "glorot"] = "ones",
        use_bias: bool = True,
    ):
        super().__init__()
        self.domains, self.units, self.start = domains, units, start
        self.use_bias = use_bias
        self.activation = keras.activations.get(activation)

    def build(self, inputs_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates W_s ``(n, units)``, b_s ``(units,)``, and W_d, b_d with an axis D before."""
        shape = (known_size(inputs_shape[-1]), self.units)
        limit = math.sqrt(6.0 / sum(shape))
        # Two initialisers, since one would draw the same numbers twice.
        common, own = (keras.initializers.RandomUniform(-limit, limit) for _ in range(2))
        self.kernel = self.add_weight(shape=shape, initializer=common, name="kernel")
        self.domain_kernel = self.add_weight(
            shape=(self.domains, *shape),
            initializer="ones" if self.start == "ones" else own,
            name="domain_kernel",
        )
        self.bias = self.domain_bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=shape[1:], initializer="zeros", name="bias")
            self.domain_bias = self.add_weight(
                shape=(self.domains, self.units), initializer="zeros", name="domain_bias"
            )

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """W_d and b_d."""
        return [self.domain_kernel, *([self.domain_bias] if self.use_bias else [])]

    def call(self, inputs: keras.KerasTensor, domain_ids: keras.KerasTensor) -> keras.KerasTensor:
        """Applies the common kernel, scaled for the rows' own domains ``(B,)``."""
        kernels = self.kernel * self.domain_kernel  # (D, n, units)
        outputs = of_own_domain(ops.einsum("bi,dio->bdo", inputs, kernels), domain_ids)
        if self.bias is not None:
            outputs = outputs + self.bias + rows_of(self.domain_bias, domain_ids)
        return self.activation(outputs)
