"""Rule on the relative improvement over the baseline."""

import dataclasses

from mtlx.components.relaimp_gate.rules.bounded_minimum import (
    check_minimum,
    describe_minimum,
    error_of_minimum,
    refuse_level_of_point,
)
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Level, Rule


class RelaImpRule(Rule):
    """Least relative improvement of AUC over the baseline, in percent (DTN Eq. 8).

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
    """

    compares = True

    def __init__(self, *, minimum: float = 0.0, bound: Bound = "lower", level: Level | None = None):
        refuse_level_of_point(bound, level)
        self._minimum, self._bound = minimum, bound
        self.errs_by, self.level = error_of_minimum(bound), level

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        return describe_minimum(_percent(self._minimum), self._bound, self.level)

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        compared = evidence.comparison
        if compared is None:
            return Finding(False, f"RelaImp over the {evidence.baseline} was not measured here")
        if compared.relaimp is None:
            why = compared.relaimp_reason or (
                f"the AUC of the {evidence.baseline} is not clearly above 0.5 here"
            )
            remedy = "give this task and slice an auc threshold instead, or more test rows"
            return Finding(False, f"RelaImp is undefined: {why}; {remedy}")
        estimate = (compared.relaimp, compared.relaimp_lower, compared.relaimp_upper)
        name = f"RelaImp over the {evidence.baseline}"
        finding = check_minimum(
            name, estimate, self._minimum, self._bound, _percent, compared.relaimp_reason,
            compared.relaimp_curve, self.level,
        )  # fmt: skip
        if self._bound == "upper" and finding.passed and compared.relaimp < self._minimum:
            reason = f"{finding.reason}, which shows that no loss is sure, not that there is none"
            return dataclasses.replace(finding, reason=reason)
        return finding


def _percent(number: float) -> str:
    return f"{number:+.2f} %"
