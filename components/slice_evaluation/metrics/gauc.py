"""AUC within users."""

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import UnitMetric
from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits


class Gauc(UnitMetric):
    """Mean over users of the user's own AUC, each by the weight of the user's rows.

    (Zhu et al. 2017, Optimized Cost per Click in Taobao Display Advertising; Zhou et al. 2018,
    DIN, Eq. 12, weights by impressions.) A user whose rows have one class only has no AUC, and is
    left out and counted; ties count half. In a slice a user's AUC is over the rows in the slice.
    Row weights enter a user's AUC and the user's weight.
    """

    title = "GAUC"
    scale = "logit"
    better = "higher"
    unit = "user"
    counted = "users with both classes"

    def terms(self, units: RankedUnits) -> tuple[np.ndarray, np.ndarray]:
        """See `UnitMetric`."""
        values = np.stack([_aucs(units, model) for model in range(units.models)])
        both = (units.relevant > 0) & (units.relevant < units.rows)
        return values, np.where(both, self.weights(units), 0.0)

    def weights(self, units: RankedUnits) -> np.ndarray:
        """What each user counts for, ``(U,)``."""
        return units.weight


class GaucEqual(Gauc):
    """Mean over users of the user's own AUC, all users alike, however many rows they have."""

    title = "GAUC, users alike"

    def weights(self, units: RankedUnits) -> np.ndarray:
        """What each user counts for, ``(U,)``."""
        return np.ones(len(units))


def _aucs(units: RankedUnits, model: int) -> np.ndarray:
    """AUC of each unit's rows; 0 where it has one class only."""
    blocks = units.blocks(model)
    own, others = blocks.weight
    of_own, of_others = units.sums(blocks, own), units.sums(blocks, others)
    # Blocks are ordered by unit and, within, from the highest score down.
    above = np.cumsum(others) - others - (np.cumsum(of_others) - of_others)[blocks.unit]
    below = of_others[blocks.unit] - above - others
    right = units.sums(blocks, own * (below + 0.5 * others))
    pairs = of_own * of_others
    return np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1.0), 0.0)
