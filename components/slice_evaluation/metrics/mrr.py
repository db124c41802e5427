"""Mean reciprocal rank."""

import numpy as np
from scipy import special

from mtlx.components.slice_evaluation.metrics.request_metric import RequestMetric
from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits


class Mrr(RequestMetric):
    """1 over the position of a request's first positive; 0 where that is behind the first k.

    Where the first positives share their score with other rows the value is the expected one over
    all orders of these: of n rows of which r are positive the first one stands at place j with
    probability C(n - j, r - 1) / C(n, r).
    """

    title = "MRR"

    def value(self, units: RankedUnits, model: int, cutoff: int) -> np.ndarray:
        """See `RequestMetric`."""
        blocks = units.blocks(model)
        holding = np.flatnonzero(blocks.relevant > 0)
        unit = blocks.unit[holding]
        firsts = holding[np.r_[True, unit[1:] != unit[:-1]]] if len(unit) else holding
        before, size, relevant = (a[firsts] for a in (blocks.first, blocks.size, blocks.relevant))
        # One entry for each place at which the first positive may stand.
        places = size - relevant + 1
        entry = np.repeat(np.arange(len(firsts)), places)
        place = np.arange(len(entry)) - np.repeat(np.cumsum(places) - places, places) + 1
        chance = np.exp(
            _log_choose(size[entry] - place, relevant[entry] - 1)
            - _log_choose(size, relevant)[entry]
        )
        rank = before[entry] + place
        reached = np.where(rank <= cutoff, chance / rank, 0.0)
        found = np.zeros(len(units))
        found[blocks.unit[firsts]] = np.bincount(entry, reached, minlength=len(firsts))
        return found


def _log_choose(many: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Logarithm of the binomial coefficient."""
    left = many - chosen
    return special.gammaln(many + 1) - special.gammaln(chosen + 1) - special.gammaln(left + 1)
