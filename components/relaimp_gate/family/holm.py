"""P-values of many tests at once, so that chance finds something no oftener than is agreed."""

import numpy as np


def adjusted_p_values(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down p-values (1979, Scandinavian Journal of Statistics 6, 65-70).

    Whoever rejects what is at most alpha here rejects, with a probability of at most alpha, any
    hypothesis that is true: whichever of them are true, and however the tests hang together (rows
    of a domain are rows of the whole, too). The smallest of m counts m times, the next one m - 1
    times, and none counts less than one before it.

    Args:
        p_values: ``(m,)``, each valid for its own test.

    Returns:
        ``(m,)`` in the same order, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    counted = (len(p_values) - np.arange(len(p_values))) * p_values[order]
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(counted), 1.0)
    return adjusted
