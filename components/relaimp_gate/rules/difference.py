"""Rule on how much better than the baseline's a metric of the candidate is."""

import dataclasses

from mtlx.components.relaimp_gate.rules.bounded_minimum import check_minimum, describe_minimum
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Rule
from mtlx.components.slice_evaluation.metrics.metric_names import build_metric, metric_title


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
    """

    compares = True

    def __init__(self, *, metric: str, minimum: float = 0.0, bound: Bound = "lower"):
        built = build_metric(metric)
        if built.better == "one":
            raise ValueError(
                f"{metric!r} is best at 1, so that more is not better: use the rule 'calibration'"
            )
        self.metric, self._minimum, self._bound = metric, minimum, bound
        self._sign, self._digits = (1 if built.better == "higher" else -1), built.digits

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        asked = describe_minimum(self._number(self._minimum), self._bound)
        return f"gain in {metric_title(self.metric)}: {asked}"

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        compared, title = evidence.comparison, f"gain in {metric_title(self.metric)}"
        if compared is None:
            return Finding(False, f"{title} over the {evidence.baseline} was not measured here")
        value, lower, upper, reason = compared.difference(self.metric)
        if self._sign < 0:
            value, lower, upper = (_negative(number) for number in (value, upper, lower))
        finding = check_minimum(
            f"{title} over the {evidence.baseline}",
            (value, lower, upper),
            self._minimum,
            self._bound,
            self._number,
            reason,
        )
        loss = value is not None and value < self._minimum
        if self._bound == "upper" and finding.passed and loss:
            reason = f"{finding.reason}, which shows that no loss is sure, not that there is none"
            return dataclasses.replace(finding, reason=reason)
        return finding

    def _number(self, number: float) -> str:
        return f"{number:+.{self._digits}f}"


def _negative(number: float | None) -> float | None:
    return None if number is None else -number
