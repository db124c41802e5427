"""Batch normalisation with weights and statistics of its own for every domain."""

import keras
from keras import ops

from mtlx.trainer.layers.domain.domain_statistics import DomainStatistics
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.rows_of import rows_of

#: So many rows of a domain's past stand beside those of the batch, on each device.
_HISTORY = 8.0


class DomainBatchNormalization(keras.layers.Layer):
    """BN_dc(x) = γ_dc ⊙ (x − μ_dc) / sqrt(σ_dc² + ε) + β_dc, d the row's own domain.

    In serving μ and σ² are the moving ones of the domain, see `DomainStatistics`. In training
    they are those of the domain's rows in the batch, with a gradient through them; since a batch
    may hold a single row of a small domain, whose spread says nothing, the moving ones count
    besides as up to 8 rows. So what a domain's layers see never follows other domains' rows, as
    in a model of that domain alone.

    On several devices the statistics are those of the whole batch, and the past counts as 8 rows
    on each. A step in parts (`training.batch_parts`) takes those of each part.

    Shapes: ``(B, ..., n)`` and domain ids ``(B,)`` to the same.

    Args:
        domains: D.
        momentum: of the moving statistics.
        epsilon: ε.
    """

    def __init__(self, domains: int, momentum: float = 0.9, epsilon: float = 1e-5):
        super().__init__()
        self.domains, self.momentum, self.epsilon = domains, momentum, epsilon

    def build(self, inputs_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates γ (ones) and β (zeros), ``(D, ..., n)``, and the statistics."""
        shape = (self.domains, *inputs_shape[1:])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")
        self.width = 1
        for size in inputs_shape[1:]:
            self.width *= known_size(size)
        self.statistics = DomainStatistics(self.domains, self.width, self.momentum)

    def call(
        self,
        inputs: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> keras.KerasTensor:
        """Normalises by the rows of the own domain, of the batch in training, else of the past."""
        # Squares of float16 values overflow, so the statistics are taken in float32.
        values = ops.reshape(ops.cast(inputs, "float32"), (-1, self.width))
        mean, variance = self.statistics.moments()  # (D, width)
        if training:
            mean, variance = self._of_batch(values, domain_ids, mean, variance)
            self.statistics.add(values, domain_ids)
        normal = values - rows_of(mean, domain_ids)
        normal = normal * rows_of(ops.rsqrt(variance + self.epsilon), domain_ids)
        normal = ops.reshape(ops.cast(normal, inputs.dtype), ops.shape(inputs))
        scale = rows_of(self.scale, domain_ids)
        return normal * scale + rows_of(self.shift, domain_ids)

    def _of_batch(
        self,
        values: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        past_mean: keras.KerasTensor,
        past_variance: keras.KerasTensor,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """μ and σ² of the batch's rows and the past ones together, ``(D, width)``."""
        members = ops.cast(ops.one_hot(domain_ids, self.domains, dtype="float32"), "float32")
        members = ops.transpose(members)  # (D, B)
        past = ops.minimum(ops.convert_to_tensor(self.statistics.counts), _HISTORY)  # (D, 1)
        rows = past + _over_devices(ops.sum(members, axis=1, keepdims=True))
        rows = ops.where(rows > 0, rows, 1.0)
        mean = (_over_devices(ops.matmul(members, values)) + past * past_mean) / rows
        # In two passes: squares of values far from 0 would leave nothing of the variance.
        centred = ops.square(values - rows_of(mean, domain_ids))
        squares = _over_devices(ops.matmul(members, centred))
        of_past = past_variance + ops.square(past_mean - mean)
        return mean, (squares + past * of_past) / rows


def _over_devices(sums: keras.KerasTensor) -> keras.KerasTensor:
    """The mean over all devices of what each has summed up; ratios of two are those of sums."""
    if keras.backend.backend() != "tensorflow":
        return sums  # On the other backends a step runs on one device here.
    return ops.moments(sums[None], axes=[0], synchronized=True)[0]
