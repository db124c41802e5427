"""Rule on the relative improvement over the baseline."""

import dataclasses

from mtlx.components.relaimp_gate.rules.bounded_minimum import (
    check_minimum,
    describe_minimum,
    error_of,
    refuse_level_of_point,
)
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Level, Rule
from mtlx.components.slice_evaluation.metrics.metric_names import RELATIVE_TO_CHANCE, metric_title


class RelaImpRule(Rule):
    """Least relative improvement over the baseline, in percent (DTN Eq. 8).

    Of AUC - 0.5, or of another metric with 0.5 as chance.

    The interval is that of the paired comparison on the same rows. It covers which rows were
    drawn, not which seed the training had.

    Args:
        minimum: percent; negative to bound a loss ("no domain may lose more than 0.5 %").
        bound: ``lower`` lets a candidate pass only if the confidence interval lies above the
            minimum (a proven gain); ``upper`` holds it back only if the interval lies below (a
            proven loss), so that with every push a little may be lost that is never proven, which
            is what ``against: anchor`` is for; ``point`` disregards the interval.
        level: one-sided error level of that end; None for that of the evaluation's confidence,
            0.025 at 95 %. A check with a level of its own decides alone, whatever
            ``gate.error_rate`` says of all.
        metric: ``auc``, ``gauc`` or ``gauc_equal``.
    """

    compares = True

    def __init__(
        self,
        *,
        minimum: float = 0.0,
        bound: Bound = "lower",
        metric: str = "auc",
        level: Level | None = None,
    ):
        if metric not in RELATIVE_TO_CHANCE:
            raise ValueError(
                f"relaimp takes a metric with 0.5 as chance, not {metric!r}: "
                f"{', '.join(RELATIVE_TO_CHANCE)}; for another one use the rule 'difference'"
            )
        refuse_level_of_point(bound, level)
        self._minimum, self._bound, self.metric = minimum, bound, metric
        self.errs_by, self.level = error_of(bound), level

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        return describe_minimum(_percent(self._minimum), self._bound, self.level)

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        compared = evidence.comparison
        title = metric_title(self.metric)
        called = "RelaImp" if self.metric == "auc" else f"RelaImp of {title}"
        if compared is None:
            return Finding(False, f"{called} over the {evidence.baseline} was not measured here")
        estimate = compared.relative_gain(self.metric)
        value = estimate.value
        if value is None:
            why = (
                estimate.reason
                or f"the {title} of the {evidence.baseline} is not clearly above 0.5 here"
            )
            remedy = "give this task and slice an auc threshold instead, or more test rows"
            return Finding(False, f"{called} is undefined: {why}; {remedy}")
        finding = check_minimum(
            f"{called} over the {evidence.baseline}",
            estimate,
            self._minimum,
            self._bound,
            _percent,
            self.level,
        )
        if self._bound == "upper" and finding.passed and value < self._minimum:
            reason = f"{finding.reason}, which shows that no loss is sure, not that there is none"
            return dataclasses.replace(finding, reason=reason)
        return finding


def _percent(number: float) -> str:
    return f"{number:+.2f} %"
