"""How far two samples lie apart, and how far chance alone would move them: plain NumPy.

Each measure comes with the value that two samples of these sizes out of one distribution stay
below in all but one of ten thousand cases. What lies below it is no movement. Rows are taken as
independent; the thresholds leave room for what the rows of a user have in common.
"""

import numpy as np
from scipy import stats

#: Of a normal distribution: beyond it lies, to both sides together, one case of ten thousand.
_NORMAL = float(stats.norm.isf(0.5e-4))
_ONE_IN = 1e-4


def jensen_shannon(new: np.ndarray, before: np.ndarray) -> float:
    """Jensen-Shannon divergence in bits, in [0, 1], of two distributions over the same buckets.

    Args:
        new: shares.
        before: shares.
    """
    middle = (new + before) / 2
    return (_divergence(new, middle) + _divergence(before, middle)) / 2


def jensen_shannon_noise(buckets: int, rows_new: int, rows_before: int) -> float:
    """What chance makes of it; 8 ln 2 times it is near Pearson's χ² of the two samples."""
    return _pearson(buckets, rows_new, rows_before) / (8 * np.log(2))


def population_stability(new: np.ndarray, before: np.ndarray) -> float:
    """Population stability index of two distributions over the same buckets, none of them 0."""
    return float(((new - before) * np.log(new / before)).sum())


def population_stability_noise(buckets: int, rows_new: int, rows_before: int) -> float:
    """What chance makes of it; it is near Pearson's χ² of the two samples."""
    return _pearson(buckets, rows_new, rows_before)


def largest_difference(new: np.ndarray, before: np.ndarray) -> tuple[float, int]:
    """L-infinity distance of two distributions over the same values, and which value has it."""
    differences = np.abs(new - before)
    place = int(differences.argmax())
    return float(differences[place]), place


def share_noise(share: float, rows_new: int, rows_before: int) -> float:
    """What chance makes of the difference of one share."""
    share = min(max(share, 0.0), 1.0)
    return _NORMAL * float(np.sqrt(share * (1 - share) * _both(rows_new, rows_before)))


def mean_shift(means: tuple[np.ndarray, np.ndarray], deviation: np.ndarray) -> tuple[float, int]:
    """The largest difference of means, in standard deviations, and which of the numbers has it.

    Args:
        means: of each of a vector's numbers, among the new rows and among those before.
        deviation: of each; of one that is always the same, any difference is infinite.
    """
    differences = np.abs(means[0] - means[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        shifts = np.where(differences > 0, differences / deviation, 0.0)
    place = int(shifts.argmax())
    return float(min(shifts[place], np.finfo(np.float32).max)), place


def mean_shift_noise(size: int, rows_new: int, rows_before: int) -> float:
    """What chance makes of the largest of so many."""
    normal = float(stats.norm.isf(0.5 * _ONE_IN / size))
    return normal * float(np.sqrt(_both(rows_new, rows_before)))


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    there = p > 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())


def _pearson(buckets: int, rows_new: int, rows_before: int) -> float:
    if buckets < 2:
        return 0.0
    return float(stats.chi2.isf(_ONE_IN, buckets - 1)) * _both(rows_new, rows_before)


def _both(rows_new: int, rows_before: int) -> float:
    return 1 / max(rows_new, 1) + 1 / max(rows_before, 1)
