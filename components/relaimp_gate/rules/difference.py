"""Rule on how much better than the baseline's a metric of the candidate is."""

import dataclasses
from typing import TYPE_CHECKING

from mtlx.components.relaimp_gate.rules.bounded_minimum import (
    check_minimum,
    describe_minimum,
    error_of,
    refuse_level_of_point,
)
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Level, Rule
from mtlx.components.slice_evaluation.metrics.metric_names import build_metric, metric_title

if TYPE_CHECKING:  # Settings are validated with the rules, which has to stay fast.
    from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate


class DifferenceRule(Rule):
    """Least improvement of a metric over the baseline, in the metric's own unit.

    The candidate's minus the baseline's, or, of a metric where less is better, the baseline's
    minus the candidate's: what is positive is better. The interval is that of the paired
    comparison on the same rows. A candidate that surely loses more than 0.001 is held back by
    ``{rule: difference, metric: ndcg@10, minimum: -0.001, bound: upper}``.

    Args:
        metric: name, as in `evaluation.metrics`; not calibration, of which 1 is perfect.
        minimum: of the improvement; negative to bound a loss.
        bound: as of the rule ``relaimp``: ``lower`` asks for a proven gain, ``upper`` holds back
            only a proven loss, ``point`` disregards the interval.
        level: as of the rule ``relaimp``.
    """

    compares = True

    def __init__(
        self,
        *,
        metric: str,
        minimum: float = 0.0,
        bound: Bound = "lower",
        level: Level | None = None,
    ):
        refuse_level_of_point(bound, level)
        built = build_metric(metric)
        if built.better == "one":
            raise ValueError(
                f"{metric!r} is best at 1, so that more is not better: use the rule 'calibration'"
            )
        self.metric, self._minimum, self._bound = metric, minimum, bound
        self.errs_by, self.level = error_of(bound), level
        self._sign, self._digits = (1 if built.better == "higher" else -1), built.digits

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        asked = describe_minimum(self._number(self._minimum), self._bound, self.level)
        return f"gain in {metric_title(self.metric)}: {asked}"

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        compared, title = evidence.comparison, f"gain in {metric_title(self.metric)}"
        if compared is None:
            return Finding(False, f"{title} over the {evidence.baseline} was not measured here")
        estimate = compared.difference(self.metric)
        if self._sign < 0:
            estimate = _negative(estimate)
        value = estimate.value
        finding = check_minimum(
            f"{title} over the {evidence.baseline}",
            estimate,
            self._minimum,
            self._bound,
            self._number,
            self.level,
        )
        loss = value is not None and value < self._minimum
        if self._bound == "upper" and finding.passed and loss:
            reason = f"{finding.reason}, which shows that no loss is sure, not that there is none"
            return dataclasses.replace(finding, reason=reason)
        return finding

    def _number(self, number: float) -> str:
        return f"{number:+.{self._digits}f}"


def _negative(estimate: "Estimate") -> "Estimate":
    """The same with the other sign."""
    value, upper, lower = (None if number is None else -number for number in estimate[:3])
    curve = estimate.curve.negative() if estimate.curve else None
    return estimate._replace(value=value, lower=lower, upper=upper, curve=curve)
