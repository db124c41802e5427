"""A layer whose weights are generated from what is known of the row's domain."""

import math

import keras
from keras import ops

from mtlx.trainer.layers.domain.own_domain import of_own_domain
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.rows_of import rows_of


class MetaUnit(keras.layers.Layer):
    """Meta(x) = ReLU(x W_d + b_d), W_d = reshape(s_d V_w + v_w), b_d = s_d V_b + v_b (M2M, Eq. 4).

    s_d is the knowledge of the row's own domain. `copies` units have generators of their own.
    v_w starts as the kernel of a usual dense layer, the generated part small beside it.

    Shapes: inputs ``(B, copies, P, n)``, knowledge ``(D, s)`` and domain ids ``(B,)`` to
    ``(B, copies, P, units)``. Weights follow from the row's domain alone: rows never mix.

    Args:
        copies: number of units.
        units: output width of each.
    """

    def __init__(self, copies: int, units: int):
        super().__init__()
        self.copies, self.units = copies, units

    def build(
        self,
        inputs_shape: tuple[int | None, ...],
        knowledge_shape: tuple[int | None, ...],
        of_copies_shape: tuple[int | None, ...] | None = None,
        **_: tuple[int | None, ...],
    ) -> None:
        """Creates V_w, v_w, V_b and v_b."""
        width, size = known_size(inputs_shape[-1]), known_size(knowledge_shape[-1])
        if of_copies_shape is not None:
            width += known_size(of_copies_shape[-1])
        limit = math.sqrt(6.0 / (width + self.units))
        shape = (self.copies, width, self.units)
        self.kernel = self.add_weight(
            shape=shape, initializer=keras.initializers.RandomUniform(-limit, limit), name="kernel"
        )
        small = limit / math.sqrt(size)
        self.kernel_generator = self.add_weight(
            shape=(size, *shape),
            initializer=keras.initializers.RandomUniform(-small, small),
            name="kernel_generator",
        )
        self.bias = self.add_weight(
            shape=(self.copies, self.units), initializer="zeros", name="bias"
        )
        self.bias_generator = self.add_weight(
            shape=(size, self.copies, self.units),
            initializer=keras.initializers.RandomUniform(-small, small),
            name="bias_generator",
        )

    def call(
        self,
        inputs: keras.KerasTensor,
        knowledge: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        of_copies: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Applies the weights that the knowledge of the rows' own domains generates.

        Args:
            inputs: see above; with `of_copies` ``(B, 1, P, n')``, the same for all units.
            knowledge: see above.
            domain_ids: see above.
            of_copies: ``(copies, n − n')``, what stands behind every input of a unit. It is
                multiplied once, not once per row.
        """
        kernels = ops.einsum("ds,scio->dcio", knowledge, self.kernel_generator) + self.kernel
        biases = ops.einsum("ds,sco->dco", knowledge, self.bias_generator) + self.bias
        if of_copies is not None:
            kernels, behind = ops.split(kernels, [inputs.shape[-1]], axis=2)
            biases = biases + ops.einsum("ci,dcio->dco", of_copies, behind)
            outputs = _of_own(inputs[:, 0], ops.einsum("dcio->idco", kernels), domain_ids)
            apart = (-1, inputs.shape[2], self.copies, self.units)
            outputs = ops.transpose(ops.reshape(outputs, apart), (0, 2, 1, 3))
        else:
            of_each = ops.unstack(ops.einsum("dcio->cido", kernels), self.copies, axis=0)
            parts = ops.unstack(inputs, self.copies, axis=1)
            own = [_of_own(*each, domain_ids) for each in zip(parts, of_each, strict=True)]
            outputs = ops.stack(own, axis=1)
        return ops.relu(outputs + rows_of(biases, domain_ids)[:, :, None])


def _of_own(
    inputs: keras.KerasTensor, kernels: keras.KerasTensor, domain_ids: keras.KerasTensor
) -> keras.KerasTensor:
    """Places ``(B, P, n)`` times the own domain's of kernels ``(n, D, ...)``, to ``(B, P, m)``."""
    places, domains = inputs.shape[1], kernels.shape[1]
    rows = ops.reshape(inputs, (-1, inputs.shape[-1]))
    made = ops.matmul(rows, ops.reshape(kernels, (kernels.shape[0], -1)))
    made = ops.reshape(made, (-1, domains, made.shape[-1] // domains))
    ids = domain_ids if places == 1 else ops.repeat(domain_ids, places, axis=0)
    return ops.reshape(of_own_domain(made, ids), (-1, places, made.shape[-1]))
