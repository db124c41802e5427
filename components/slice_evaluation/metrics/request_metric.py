"""What metrics of requests have in common: cut-off, weight, and which requests count."""

import abc

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import UnitMetric
from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits


class RequestMetric(UnitMetric):
    """Mean over requests; those without a positive are left out and counted.

    A request weighs as much as its rows do on average. In a slice it is made of its rows in the
    slice alone.

    Args:
        cutoff: only so many of a request's first rows count; None takes all.
    """

    scale = "logit"
    better = "higher"
    unit = "request"
    counted = "requests with a positive"
    takes_cutoff = True

    def __init__(self, *, cutoff: int | None = None):
        self.cutoff = cutoff

    def terms(self, units: RankedUnits) -> tuple[np.ndarray, np.ndarray]:
        """See `UnitMetric`."""
        cutoff = self.cutoff or int(units.rows.max(initial=1))
        values = np.stack([self.value(units, model, cutoff) for model in range(units.models)])
        mean = units.weight / np.maximum(units.rows, 1)
        return values, np.where(units.relevant > 0, mean, 0.0)

    @abc.abstractmethod
    def value(self, units: RankedUnits, model: int, cutoff: int) -> np.ndarray:
        """Returns each request's value ``(U,)``, the expected one over all orders of ties."""
