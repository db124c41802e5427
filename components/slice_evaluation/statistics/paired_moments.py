"""Sums over clusters of what each contributes to a metric of the models; mergeable in any order."""

from dataclasses import dataclass

import numpy as np


@dataclass
class PairedMoments:
    """Sums of products of influences, for M models on the same rows.

    A cluster is a row, or all rows of one user. Its influence on an AUC is what it adds to the
    estimate's deviation (`influences`). All leading shapes ``(...)`` are the same, say
    ``(slices, tasks)``; model 0 is the candidate.

    Attributes:
        products: ``(..., M, M)``, sums of products of two models' influences.
        fourth: ``(..., M)``, sums of fourth powers.
        gap_fourth: ``(..., M - 1)``, for each other model sums of fourth powers of what the
            candidate's influence exceeds that model's by.
        shares: ``(..., 3)``, sums of squares of the clusters' shares of the positives, of those
            of the negatives, and of their products.
        positive_clusters: ``(...)`` int64, clusters with at least one positive.
        negative_clusters: ``(...)`` int64, with at least one negative.
        clusters: ``(...)`` int64.
    """

    products: np.ndarray
    fourth: np.ndarray
    gap_fourth: np.ndarray
    shares: np.ndarray
    positive_clusters: np.ndarray
    negative_clusters: np.ndarray
    clusters: np.ndarray

    @classmethod
    def zeros(cls, shape: tuple[int, ...], models: int) -> "PairedMoments":
        """Returns empty sums with leading shape `shape`."""
        trailing = ((models, models), (models,), (models - 1,), (3,))
        counts = [np.zeros(shape, np.int64) for _ in range(3)]
        return cls(*(np.zeros((*shape, *size)) for size in trailing), *counts)

    @classmethod
    def of_clusters(
        cls, groups: np.ndarray, influence: np.ndarray, shares: np.ndarray, size: int
    ) -> "PairedMoments":
        """Sums whole clusters, with leading shape ``(size,)``.

        Args:
            groups: ``(N,)`` int64 below `size`.
            influence: ``(M, N)`` float64, of `influences`.
            shares: ``(2, N)`` float64, of the group's positives and of its negatives.
            size: number of groups.
        """
        models = len(influence)
        moments = cls.zeros((size,), models)

        def total(values: np.ndarray) -> np.ndarray:
            return np.bincount(groups, values, minlength=size)

        for first in range(models):
            for second in range(first, models):
                summed = total(influence[first] * influence[second])
                moments.products[:, first, second] = moments.products[:, second, first] = summed
            moments.fourth[:, first] = total(influence[first] ** 4)
        for other in range(1, models):
            moments.gap_fourth[:, other - 1] = total((influence[0] - influence[other]) ** 4)
        pairs = ((0, 0), (1, 1), (0, 1))
        for place, (first, second) in enumerate(pairs):
            moments.shares[:, place] = total(shares[first] * shares[second])
        moments.positive_clusters += total(shares[0] > 0).astype(np.int64)
        moments.negative_clusters += total(shares[1] > 0).astype(np.int64)
        moments.clusters += np.bincount(groups, minlength=size)
        return moments

    @classmethod
    def of_means(
        cls, groups: np.ndarray, influence: np.ndarray, shares: np.ndarray, size: int
    ) -> "PairedMoments":
        """Sums whole clusters' influences on a weighted mean, or on what is made of such means.

        As in `influences`, each is divided by sqrt(1 - share) (Bell and McCaffrey 2002), which
        for a plain mean over rows is the unbiased variance.

        Args:
            groups: ``(N,)`` int64 below `size`.
            influence: ``(M, N)`` float64, what the estimate would lose without the cluster, to
                first order.
            shares: ``(N,)`` float64, of the group's weight.
            size: number of groups.
        """
        rest = 1.0 - shares
        scale = np.where(rest > 1e-12, 1.0 / np.sqrt(np.where(rest > 1e-12, rest, 1.0)), 0.0)
        return cls.of_clusters(groups, influence * scale, np.stack([shares, shares]), size)

    def add(self, other: "PairedMoments") -> None:
        """Adds sums over other clusters."""
        for name, value in vars(other).items():
            getattr(self, name).__iadd__(value)

    def reshape(self, *shape: int) -> "PairedMoments":
        """Returns the same sums of ``(G,)`` groups with leading shape `shape`."""
        return PairedMoments(
            **{name: value.reshape(*shape, *value.shape[1:]) for name, value in vars(self).items()}
        )


def influences(sums: np.ndarray, shares: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """What clusters contribute to the AUCs; the sum of its squares is the variance.

    Obuchowski (1997, Biometrics 53, 567-578) with the leverage correction of Bell and McCaffrey
    (2002, Survey Methodology 28, 169-181): the AUC is estimated from the cluster too, the more
    so the larger its share of a class, which draws its placements towards their mean. Each
    class is divided by sqrt(1 - share). Where clusters are rows that is DeLong's (1988) unbiased
    variance, with n - 1, to the last digit; with users of one size it is Obuchowski's.

    Args:
        sums: ``(M, 2, N)``, sums of the clusters' placements minus the AUC, of the positives and
            of the negatives.
        shares: ``(2, N)``, of the positives and of the negatives that the cluster holds.
        counts: ``(2, N)``, positives and negatives of the cluster's slice.

    Returns:
        ``(M, N)`` float64. A cluster that alone holds a class contributes nothing for it: the
        variance is unknown then.
    """
    rest = 1.0 - shares
    scale = np.where(rest > 0, 1.0 / (counts * np.sqrt(np.where(rest > 0, rest, 1.0))), 0.0)
    return (sums * scale).sum(axis=1)
