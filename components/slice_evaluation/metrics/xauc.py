"""Share of concordant pairs."""

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import Metric
from mtlx.components.slice_evaluation.units.concordance import comparable, concordance


class Xauc(Metric):
    """Probability that of two rows with different labels the scores have the same order.

    (Zhan et al. 2022, Deconfounding Duration Bias in Watch-time Prediction.) Equal scores count
    half, pairs with equal labels do not count, a pair weighs as the product of its rows' weights.
    With labels 0 and 1 it is the AUC, and is taken from there. Of numbers all pairs count up to
    `units.unit_pass.ROWS_OF_A_PARTITION` rows; of more rows those within parts of so many, rows of
    one user in the same part: an unbiased estimate of the same probability.
    """

    title = "XAUC"
    scale = "logit"
    better = "higher"
    regression = True
    counted = "rows with another label"

    def terms(
        self, slices: np.ndarray, labels: np.ndarray, weights: np.ndarray, scores: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the weight of each row's pairs that are in order ``(M, N)``, and of all ``(N,)``.

        Args:
            slices: ``(N,)`` int64; pairs are of the same slice.
            labels: ``(N,)``.
            weights: ``(N,)`` float64.
            scores: ``(M, N)``.
        """
        right = [weights * concordance(slices, labels, own, weights) for own in scores]
        return np.stack(right), weights * comparable(slices, labels, weights)
