"""Layer normalisation with weights of its own for every domain."""

import keras
from keras import ops

from mtlx.trainer.layers.rows_of import rows_of


class DomainLayerNormalization(keras.layers.Layer):
    """LN_dc(x) = γ_dc ⊙ (x − mean) / sqrt(variance + ε) + β_dc, d the row's own domain.

    The statistics are those of the row's last axis, so that no row depends on another.

    Shapes: ``(B, copies, n)`` and domain ids ``(B,)`` to ``(B, copies, n)``.

    Args:
        domains: D.
        epsilon: ε.
    """

    def __init__(self, domains: int, epsilon: float = 1e-5):
        super().__init__()
        self.domains = domains
        self.epsilon = epsilon

    def build(self, inputs_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates γ (ones) and β (zeros), ``(D, copies, n)``."""
        shape = (self.domains, *inputs_shape[1:])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(self, inputs: keras.KerasTensor, domain_ids: keras.KerasTensor) -> keras.KerasTensor:
        """Normalises the last axis, with γ and β of the rows' own domains ``(B,)``."""
        # Squares of float16 values overflow, so the statistics are taken in float32.
        values = ops.cast(inputs, "float32")
        centred = values - ops.mean(values, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = ops.cast(centred * ops.rsqrt(variance + self.epsilon), inputs.dtype)
        scale = rows_of(self.scale, domain_ids)
        return normal * scale + rows_of(self.shift, domain_ids)
