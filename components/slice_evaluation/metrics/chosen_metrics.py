"""The metrics of one evaluation, by how they are computed."""

from collections.abc import Iterable

from mtlx.components.slice_evaluation.metrics.metric import Metric, RowMetric, UnitMetric
from mtlx.components.slice_evaluation.metrics.metric_names import ALWAYS, build_metric
from mtlx.components.slice_evaluation.metrics.xauc import Xauc


class ChosenMetrics:
    """All that are measured.

    Args:
        names: as in `evaluation.metrics`.

    Attributes:
        all: by name, those that are always measured first (`ALWAYS`), then in the given order.
    """

    def __init__(self, names: Iterable[str] = ()):
        chosen = dict.fromkeys((*ALWAYS, *names))
        self.all: dict[str, Metric] = {name: build_metric(name) for name in chosen}

    @property
    def of_rows(self) -> dict[str, RowMetric]:
        """Those whose value follows from sums over rows."""
        return {name: one for name, one in self.all.items() if isinstance(one, RowMetric)}

    def of_units(self, regressions: bool) -> dict[str, Metric]:
        """Those for which rows have to come together.

        Args:
            regressions: whether a task is one; of the others XAUC is the AUC.
        """
        return {
            name: one
            for name, one in self.all.items()
            if isinstance(one, UnitMetric) or (isinstance(one, Xauc) and regressions)
        }

    @property
    def of_ranks(self) -> dict[str, Metric]:
        """Those that are the AUC, of tasks with two classes."""
        return {name: one for name, one in self.all.items() if isinstance(one, Xauc)}
