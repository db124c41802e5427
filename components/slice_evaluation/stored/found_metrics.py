"""What was measured in one task and slice, as gate, report and terminal read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.slices import SliceKey, slice_text
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import AUC, CALIBRATION, OF_NUMBERS


@dataclass(frozen=True)
class SliceMetrics:
    """Metrics of a model, task and slice; None where one is undefined.

    Attributes:
        model: ``candidate``, ``baseline``, ``reference`` or ``anchor``.
        task: name.
        key: the slice as pairs of feature and value, none for the slice of all rows.
        auc: None where a class is absent or predictions are undefined.
        auc_lower: None also where the spread is unknown (too few rows or users of a class).
        auc_upper: as `auc_lower`.
        log_loss: mean binary cross-entropy.
        calibration: mean prediction over mean label; None without positives.
        positives: rows of the task's population with label 1.
        examples: rows of the task's population.
        undefined_predictions: rows for which the model served no finite number; one of them
            makes all metrics above undefined.
        auc_reason: why the AUC or its interval is None, in words.
        auc_curve: bounds of the AUC at every level; None where it has no interval.
        values: every measured metric by its name in `evaluation.metrics`, with its interval;
            those above too.
        left_out: of metrics of users and requests how many of these have no value of their own.
    """

    model: str
    task: str
    key: SliceKey
    auc: float | None
    auc_lower: float | None
    auc_upper: float | None
    log_loss: float | None
    calibration: float | None
    positives: int
    examples: int
    undefined_predictions: int = 0
    auc_reason: str | None = None
    auc_curve: ConfidenceCurve | None = None
    values: Mapping[str, Estimate] = field(default_factory=dict, compare=False)
    left_out: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def of_numbers(self) -> bool:
        """Whether the task's labels are numbers, of which there is no AUC."""
        return self.auc_reason == OF_NUMBERS

    @property
    def slice(self) -> str:
        """The slice's name for people."""
        return slice_text(self.key)

    def estimate(self, metric: str) -> Estimate:
        """Returns a metric by its name in `evaluation.metrics`."""
        if metric in self.values:
            return self.values[metric]
        known = {
            AUC: Estimate(
                self.auc, self.auc_lower, self.auc_upper, self.auc_reason, self.auc_curve
            ),
            "log_loss": Estimate(self.log_loss),
            CALIBRATION: Estimate(self.calibration),
        }
        return known.get(metric) or Estimate(reason=_not_measured(metric))


@dataclass(frozen=True)
class Comparison:
    """The candidate against a baseline on the same rows; None where a value is undefined.

    Attributes:
        baseline: ``baseline``, ``reference`` or ``anchor``.
        task: name.
        key: the slice, as in `SliceMetrics`.
        relaimp: percent; None where the baseline's AUC is under 0.5 + 2 standard errors.
        relaimp_lower: percent.
        relaimp_upper: percent.
        auc_difference: AUC of the candidate minus that of the baseline.
        auc_difference_lower: of its paired interval.
        auc_difference_upper: of its paired interval.
        relaimp_reason: why RelaImp or its interval is None, in words.
        auc_difference_reason: why the difference or its interval is None.
        relaimp_curve: bounds of RelaImp at every level; None where it has no interval.
        auc_difference_curve: of the difference.
        differences: of every measured metric by its name in `evaluation.metrics`, the candidate's
            minus the baseline's with a paired interval; of the AUC too.
        relative: of metrics with 0.5 as chance how much further from it the candidate is, in
            percent; of the AUC it is RelaImp.
    """

    baseline: str
    task: str
    key: SliceKey
    relaimp: float | None
    relaimp_lower: float | None
    relaimp_upper: float | None
    auc_difference: float | None
    auc_difference_lower: float | None
    auc_difference_upper: float | None
    relaimp_reason: str | None = None
    auc_difference_reason: str | None = None
    relaimp_curve: ConfidenceCurve | None = None
    auc_difference_curve: ConfidenceCurve | None = None
    differences: Mapping[str, Estimate] = field(default_factory=dict, compare=False)
    relative: Mapping[str, Estimate] = field(default_factory=dict, compare=False)

    @property
    def slice(self) -> str:
        """The slice's name for people."""
        return slice_text(self.key)

    def difference(self, metric: str) -> Estimate:
        """Returns the difference of a metric by its name in `evaluation.metrics`."""
        if metric == AUC:
            interval = (self.auc_difference, self.auc_difference_lower, self.auc_difference_upper)
            return Estimate(*interval, self.auc_difference_reason, self.auc_difference_curve)
        return self.differences.get(metric) or Estimate(reason=_not_measured(metric))

    def relative_gain(self, metric: str) -> Estimate:
        """Returns RelaImp, or the same of another metric with 0.5 as chance, in percent."""
        if metric == AUC:
            interval = (self.relaimp, self.relaimp_lower, self.relaimp_upper)
            return Estimate(*interval, self.relaimp_reason, self.relaimp_curve)
        return self.relative.get(metric) or Estimate(reason=_not_measured(metric))


def _not_measured(metric: str) -> str:
    return f"it was not measured; name {metric!r} in evaluation.metrics"
