"""Normalisation of the inputs with statistics and weights of every domain."""

import keras
from keras import ops

#: Below such a weight the statistics of a domain that has no more rows are kept as they are.
_SMALLEST_WEIGHT = 1e-20


class PartitionedNormalization(keras.layers.Layer):
    """(γ ⊙ γ_d) ⊙ (x − μ_d) / sqrt(σ_d² + ε) + β + β_d, d the row's own domain (STAR, Eq. 3).

    μ_d and σ_d² are moving statistics of domain d. They come from three moving sums of its rows:
    their number, values and squares, n_d ← m n_d + Σ 1, s_d ← m s_d + Σ x, q_d ← m q_d + Σ x²,
    so that μ_d = s_d / n_d, σ_d² = q_d / n_d − μ_d². Ratios of sums need no correction at the
    start, a batch without rows of d leaves μ_d and σ_d² as they are, and devices that add up
    their sums have the statistics of the whole batch. Before its first rows a domain has μ = 0,
    σ² = 1.

    Deviation: STAR normalises in training by the statistics of the batch, whose rows are all of
    one domain there. A batch here holds all domains, of some perhaps a single row. So training
    normalises like inference: by the moving statistics, as they were before the batch, which is
    then added to them. No row depends on another one of its batch, and no gradient passes
    through the statistics.

    Shapes: ``(B, n)`` and domain ids ``(B,)`` to ``(B, n)``.

    Args:
        domains: D.
        momentum: m.
        epsilon: ε.
    """

    def __init__(self, domains: int, momentum: float = 0.99, epsilon: float = 1e-5):
        super().__init__()
        self.domains, self.momentum, self.epsilon = domains, momentum, epsilon

    def build(self, inputs_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates γ, β ``(n,)``, γ_d, β_d ``(D, n)`` and the sums, which are not trained."""
        width = inputs_shape[-1]
        own = (self.domains, width)
        self.scale = self.add_weight(shape=(width,), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(width,), initializer="zeros", name="shift")
        self.domain_scale = self.add_weight(shape=own, initializer="ones", name="domain_scale")
        self.domain_shift = self.add_weight(shape=own, initializer="zeros", name="domain_shift")
        self.counts, self.sums, self.squares = (
            self.add_weight(
                shape=shape,
                initializer="zeros",
                dtype="float32",
                trainable=False,
                autocast=False,
                # Every device assigns sums of its own rows; the mean of them has their ratios.
                aggregation="mean",
                name=name,
            )
            for name, shape in [("counts", (self.domains, 1)), ("sums", own), ("squares", own)]
        )

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
        """See the class."""
        values = ops.cast(inputs, "float32")  # squares of float16 values overflow
        counts = ops.convert_to_tensor(self.counts)
        known, rows = counts > 0, ops.where(counts > 0, counts, 1.0)
        mean = self.sums / rows  # (D, n)
        variance = ops.maximum(self.squares / rows - ops.square(mean), 0.0)
        deviation = ops.sqrt(ops.where(known, variance, 1.0) + self.epsilon)
        normal = values - ops.take(mean, domain_ids, axis=0)
        normal = ops.cast(normal / ops.take(deviation, domain_ids, axis=0), inputs.dtype)
        if training:
            self._add(values, domain_ids)
        scale = self.scale * ops.take(self.domain_scale, domain_ids, axis=0)
        return normal * scale + self.shift + ops.take(self.domain_shift, domain_ids, axis=0)

    def _add(self, values: keras.KerasTensor, domain_ids: keras.KerasTensor) -> None:
        """Adds the rows of a batch to the moving sums."""
        values = ops.stop_gradient(values)
        ones = ops.ones_like(values[:, :1])
        decay = ops.where(self.counts < _SMALLEST_WEIGHT, 1.0, self.momentum)  # (D, 1)
        for variable, terms in (
            (self.counts, ones),
            (self.sums, values),
            (self.squares, ops.square(values)),
        ):
            new = ops.segment_sum(terms, domain_ids, num_segments=self.domains)
            variable.assign(decay * variable + new)
