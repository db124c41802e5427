"""Normalisation of the inputs with statistics and weights of every domain."""

import keras
from keras import ops

from mtlx.trainer.layers.domain.domain_statistics import DomainStatistics
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.rows_of import rows_of


class PartitionedNormalization(keras.layers.Layer):
    """(γ ⊙ γ_d) ⊙ (x − μ_d) / sqrt(σ_d² + ε) + β + β_d, d the row's own domain (STAR, Eq. 3).

    μ_d and σ_d² are moving statistics of domain d, see `DomainStatistics`.

    Deviation: STAR normalises in training by the statistics of the batch, whose rows are all of
    one domain there. A batch here holds all domains, of some perhaps a single row. So training
    normalises like inference: by the moving statistics, as they were before the batch, which is
    then added to them. No row depends on another one of its batch, and no gradient passes
    through the statistics.

    Shapes: ``(B, n)`` and domain ids ``(B,)`` to ``(B, n)``.

    Args:
        domains: D.
        momentum: of the moving statistics.
        epsilon: ε.
    """

    def __init__(self, domains: int, momentum: float = 0.99, epsilon: float = 1e-5):
        super().__init__()
        self.domains, self.momentum, self.epsilon = domains, momentum, epsilon

    def build(self, inputs_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates γ, β ``(n,)``, γ_d, β_d ``(D, n)`` and the statistics."""
        width = known_size(inputs_shape[-1])
        own = (self.domains, width)
        self.scale = self.add_weight(shape=(width,), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(width,), initializer="zeros", name="shift")
        self.domain_scale = self.add_weight(shape=own, initializer="ones", name="domain_scale")
        self.domain_shift = self.add_weight(shape=own, initializer="zeros", name="domain_shift")
        self.statistics = DomainStatistics(self.domains, width, self.momentum)

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """γ_d and β_d."""
        return [self.domain_scale, self.domain_shift]

    def call(
        self,
        inputs: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> keras.KerasTensor:
        """Normalises by the moving statistics of the rows' own domains, which training moves."""
        values = ops.cast(inputs, "float32")  # squares of float16 values overflow
        mean, variance = self.statistics.moments()
        deviation = ops.sqrt(variance + self.epsilon)
        normal = values - rows_of(mean, domain_ids)
        normal = ops.cast(normal / rows_of(deviation, domain_ids), inputs.dtype)
        if training:
            self.statistics.add(values, domain_ids)
        scale = self.scale * rows_of(self.domain_scale, domain_ids)
        return normal * scale + self.shift + rows_of(self.domain_shift, domain_ids)
