"""All that is computed once the totals are known, and the finished metrics."""

from collections.abc import Mapping

import numpy as np

from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments
from mtlx.components.slice_evaluation.statistics.paired_pass import AUC_MOMENTS, PairedPass
from mtlx.components.slice_evaluation.statistics.slice_metrics import Measured
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.statistics.spread import Spread
from mtlx.components.slice_evaluation.units.cluster_terms import UnitTotals
from mtlx.components.slice_evaluation.units.unit_pass import UnitPass

#: Moments by metric, the AUC's as `AUC_MOMENTS`.
Moments = dict[str, PairedMoments]


class SecondPass:
    """Rows and units after the first pass.

    Args:
        totals: of all rows.
        chosen: the metrics beside the AUC.

    Attributes:
        paired: for metrics whose value follows from the totals, and for the AUC.
        units: for those of users, requests and pairs.
    """

    def __init__(self, totals: SliceTotals, chosen: ChosenMetrics):
        self.paired = PairedPass(totals, chosen.of_rows)
        self.units = UnitPass(totals, chosen.of_units(bool(totals.regressions)))

    def measured(
        self,
        moments: Mapping[str, PairedMoments],
        units: Mapping[str, UnitTotals],
        user: str | None,
    ) -> tuple[Spread, dict[str, Measured]]:
        """Returns the AUCs' spread, and all other metrics by name.

        Args:
            moments: of all rows, users and units; what is absent has none.
            units: of all of them.
            user: the feature that names the users, None where rows are independent.
        """
        totals = self.paired.totals
        nothing = PairedMoments.zeros(np.shape(totals.examples), totals.models)
        found = {
            name: Measured(
                self.paired.values[name],
                self.paired.spread_of(name, moments.get(name, nothing), user),
            )
            for name in self.paired.metrics
        }
        for name in self.units.metrics:
            sums = units.get(name) or UnitTotals.zeros(totals.models, totals.examples.size)
            found[name] = Measured(
                self.units.values(sums),
                self.units.spread(name, moments.get(name, nothing), user),
                self.units.left_out(sums),
            )
        return self.paired.spread(moments.get(AUC_MOMENTS, nothing), user), found


def add_moments(sums: Moments, other: Mapping[str, PairedMoments]) -> Moments:
    """Adds moments of other clusters to sums, which it returns."""
    for name, own in other.items():
        if name not in sums:
            sums[name] = PairedMoments.zeros(own.clusters.shape, own.products.shape[-1])
        sums[name].add(own)
    return sums


def add_unit_totals(
    sums: dict[str, UnitTotals], other: Mapping[str, UnitTotals]
) -> dict[str, UnitTotals]:
    """Adds totals of other units to sums, which it returns."""
    for name, own in other.items():
        if name not in sums:
            sums[name] = UnitTotals.zeros(len(own.values), len(own.weights))
        sums[name].add(own)
    return sums
