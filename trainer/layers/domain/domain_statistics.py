"""Moving means and variances of every domain's rows."""

import keras
from keras import ops

#: Below such a weight the statistics of a domain that has no more rows are kept as they are.
_SMALLEST_WEIGHT = 1e-20


class DomainStatistics(keras.layers.Layer):
    """Means and variances per domain, from three moving sums of its rows.

    The sums are the rows' number, values and squares, n_d ← m n_d + Σ 1, s_d ← m s_d + Σ x,
    q_d ← m q_d + Σ x², so that μ_d = s_d / n_d, σ_d² = q_d / n_d − μ_d². Ratios of sums need no
    correction at the start, a batch without rows of d leaves μ_d and σ_d² as they are, one with
    few rows moves them little, and devices that add up their sums have the statistics of the whole
    batch. Before its first rows a domain has μ = 0, σ² = 1. No gradient passes through them.

    Args:
        domains: D.
        width: n.
        momentum: m.
    """

    def __init__(self, domains: int, width: int, momentum: float):
        super().__init__()
        self.domains, self.momentum = domains, momentum
        self.counts, self.sums, self.squares = (
            self.add_weight(
                shape=(domains, size),
                initializer="zeros",
                dtype="float32",
                trainable=False,
                autocast=False,
                # Every device assigns sums of its own rows; the mean of them has their ratios.
                aggregation="mean",
                name=name,
            )
            for name, size in [("counts", 1), ("sums", width), ("squares", width)]
        )
        self.built = True

    def moments(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """μ and σ², ``(D, n)`` float32 each."""
        counts = ops.convert_to_tensor(self.counts)
        known, rows = counts > 0, ops.where(counts > 0, counts, 1.0)
        mean = self.sums / rows
        variance = ops.maximum(self.squares / rows - ops.square(mean), 0.0)
        return mean, ops.where(known, variance, 1.0)

    def add(self, values: keras.KerasTensor, domain_ids: keras.KerasTensor) -> None:
        """Adds the rows of a batch, ``(B, n)`` float32, to the moving sums."""
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
