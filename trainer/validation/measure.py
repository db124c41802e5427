"""How good a task's predictions are on some rows: counts, AUC and log loss."""

from dataclasses import dataclass

import numpy as np

from mtlx.trainer.model.scores import SMALLEST_PROBABILITY
from mtlx.trainer.validation.area_under_curve import area_under_curve


@dataclass(frozen=True)
class Measure:
    """What was measured of one task on some rows of its population.

    Attributes:
        rows: their number; those that count for 0 are none of them.
        positives: those with label 1.
        auc: None where undefined (one class only), or where it was not asked for.
        loss: mean log loss; of a regression the mean squared error in variances of the labels that
            train; None where there is no row. By weights, where rows have some.
        base_loss: the loss of who knows the mean label alone, where it does not follow from the
            numbers of rows and positives.
        regression: whether labels are numbers; positives are then those above 0.
    """

    rows: int
    positives: int
    auc: float | None
    loss: float | None
    base_loss: float | None = None
    regression: bool = False

    @property
    def rarer(self) -> int:
        """Rows of the rarer class; 0 where nothing can be told of an order of the two. All rows of
        a regression whose labels differ.
        """
        if self.regression:
            return self.rows if self.base_loss else 0
        return min(self.positives, self.rows - self.positives)

    @property
    def base_entropy(self) -> float:
        """Log loss of who predicts the base rate p of these rows: −p ln p − (1 − p) ln(1 − p).

        Of a regression the squared error of who predicts the mean.
        """
        if self.base_loss is not None:
            return self.base_loss
        rate = np.array([self.positives, self.rows - self.positives]) / self.rows
        return float(-np.sum(rate * np.log(rate)))


def measure(
    labels: np.ndarray,
    probabilities: np.ndarray,
    with_auc: bool = True,
    weights: np.ndarray | None = None,
) -> Measure:
    """Measures predictions.

    Args:
        labels: ``(n,)``, 0 or 1.
        probabilities: ``(n,)``, of label 1.
        with_auc: whether the AUC is computed, which sorts the rows.
        weights: what rows count for, ``(n,)``, above 0; None for 1.
    """
    probabilities = probabilities.astype(np.float64)
    return Measure(
        rows=int(labels.size),
        positives=int(np.count_nonzero(labels > 0.5)),
        auc=area_under_curve(labels, probabilities, weights) if with_auc else None,
        loss=_log_loss(labels, probabilities, weights) if labels.size else None,
        base_loss=None if weights is None or not labels.size else _base_entropy(labels, weights),
    )


def measure_numbers(
    labels: np.ndarray,
    predictions: np.ndarray,
    scale: float,
    weights: np.ndarray | None = None,
) -> Measure:
    """Measures predictions of numbers.

    Args:
        labels: ``(n,)``.
        predictions: ``(n,)``, in the same unit.
        scale: what errors are counted in.
        weights: what rows count for, ``(n,)``, above 0; None for 1.
    """
    rows, positives = int(labels.size), int(np.count_nonzero(labels > 0))
    if not rows:
        return Measure(0, 0, None, None, None, True)
    wide = labels.astype(np.float64) / scale
    mean = np.average(wide, weights=weights)
    loss = np.average((predictions.astype(np.float64) / scale - wide) ** 2, weights=weights)
    spread = np.average((wide - mean) ** 2, weights=weights)
    return Measure(rows, positives, None, float(loss), float(spread), True)


def _log_loss(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None
) -> float:
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    likelihoods = labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)
    return float(-(np.mean(likelihoods) if weights is None else _mean(likelihoods, weights)))


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    wide = weights.astype(np.float64)
    return float((values * wide).sum() / wide.sum())


def _base_entropy(labels: np.ndarray, weights: np.ndarray) -> float:
    rate = _mean(labels, weights)
    return _log_loss(labels, np.full(labels.shape, rate), weights)
