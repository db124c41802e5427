"""How good a task's predictions are on some rows: counts, AUC and log loss."""

from dataclasses import dataclass

import numpy as np

from mtlx.trainer.model.scores import SMALLEST_PROBABILITY
from mtlx.trainer.validation.area_under_curve import area_under_curve


@dataclass(frozen=True)
class Measure:
    """What was measured of one task on some rows of its population.

    Attributes:
        rows: their number.
        positives: those with label 1.
        auc: None where undefined (one class only), or where it was not asked for.
        loss: mean log loss; None where there is no row.
    """

    rows: int
    positives: int
    auc: float | None
    loss: float | None

    @property
    def rarer(self) -> int:
        """Rows of the rarer class; 0 where nothing can be told of an order of the two."""
        return min(self.positives, self.rows - self.positives)

    @property
    def base_entropy(self) -> float:
        """Log loss of who predicts the base rate p of these rows: −p ln p − (1 − p) ln(1 − p)."""
        rate = np.array([self.positives, self.rows - self.positives]) / self.rows
        return float(-np.sum(rate * np.log(rate)))


def measure(labels: np.ndarray, probabilities: np.ndarray, with_auc: bool = True) -> Measure:
    """Measures predictions.

    Args:
        labels: ``(n,)``, 0 or 1.
        probabilities: ``(n,)``, of label 1.
        with_auc: whether the AUC is computed, which sorts the rows.
    """
    probabilities = probabilities.astype(np.float64)
    return Measure(
        rows=int(labels.size),
        positives=int(np.count_nonzero(labels > 0.5)),
        auc=area_under_curve(labels, probabilities) if with_auc else None,
        loss=_log_loss(labels, probabilities) if labels.size else None,
    )


def _log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return float(-np.mean(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)))
