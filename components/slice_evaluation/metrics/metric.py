"""What a metric is: how its value and what each row or user adds to it follow from arrays."""

import abc
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals

if TYPE_CHECKING:
    from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits

#: On which scale the interval is symmetric: ``log`` for what is above 0, ``logit`` for shares.
Scale = Literal["linear", "log", "logit"]


class Metric(abc.ABC):
    """A number of a model, task and slice.

    A metric is an object without state besides its options; one file and one line in `METRICS`.

    Attributes:
        title: what people call it.
        scale: of its interval.
        better: which way an improvement goes; ``one`` where 1 is perfect.
        regression: whether it is defined where labels are numbers.
        binary: whether it is defined where labels are 0 or 1.
        digits: behind the point, as it is shown.
        takes_cutoff: whether ``name@k`` is one of its names.
    """

    title: ClassVar[str]
    scale: ClassVar[Scale]
    better: ClassVar[Literal["higher", "lower", "one"]]
    regression: ClassVar[bool] = False
    binary: ClassVar[bool] = True
    digits: ClassVar[int] = 4
    takes_cutoff: ClassVar[bool] = False

    def applies(self, totals: SliceTotals) -> np.ndarray:
        """``(T,)`` bool, for which tasks the metric is defined."""
        regression = np.isin(np.arange(totals.tasks), sorted(totals.regressions))
        return np.where(regression, self.regression, self.binary)


class RowMetric(Metric):
    """A smooth function of sums over rows, so that all sums are those of the first pass."""

    def prepare(self, totals: SliceTotals) -> Any:
        """Returns what is worth computing once; None where nothing is."""
        return None

    @abc.abstractmethod
    def values(self, totals: SliceTotals, prepared: Any) -> np.ndarray:
        """Returns ``(S, M, T)`` float64; not finite where it is undefined.

        Args:
            totals: of the first pass.
            prepared: what `prepare` gave.
        """

    @abc.abstractmethod
    def influence(self, rows: TaskRows, model: int, value: np.ndarray, prepared: Any) -> np.ndarray:
        """Returns what each row adds to the value's deviation, ``(N,)`` float64.

        To first order (the delta method): the derivative of the value by the row's weight, times
        the weight. Its sum over all rows is 0, and the sum of its squares, over rows or users,
        the value's variance.

        Args:
            rows: of one task.
            model: number.
            value: ``(N,)``, of the row's slice; NaN where it is undefined.
            prepared: what `prepare` gave.
        """


class UnitMetric(Metric):
    """A weighted mean over units, each of several rows: users, or requests.

    Attributes:
        unit: whose rows have to come together.
        counted: what there may be too few of.
    """

    unit: ClassVar[Literal["user", "request"]]
    counted: ClassVar[str]

    @abc.abstractmethod
    def terms(self, units: "RankedUnits") -> tuple[np.ndarray, np.ndarray]:
        """Returns each unit's own value for each model ``(M, U)``, and its weight ``(U,)``.

        Units in which the metric is undefined have weight 0; their value does not count.
        """
