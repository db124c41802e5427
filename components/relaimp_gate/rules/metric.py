"""Rule on any metric of the candidate itself."""

from mtlx.components.relaimp_gate.rules.bounded_minimum import (
    check_maximum,
    check_minimum,
    describe_maximum,
    describe_minimum,
    error_of,
    refuse_level_of_point,
)
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Level, Rule
from mtlx.components.slice_evaluation.metrics.metric_names import build_metric, metric_title


class MetricRule(Rule):
    """How good a metric of the candidate has to be, whatever the baseline reaches.

    ``{rule: metric, metric: gauc, limit: 0.6}`` or ``{rule: metric, metric: ece, limit: 0.02}``.

    Args:
        metric: name, as in `evaluation.metrics`; of calibration, of which 1 is perfect, there is
            a rule of its own.
        limit: the least of a metric where more is better, the most where less is.
        bound: which of the confidence interval's ends, or the point, has to reach the limit; by
            default the worse end, so that the limit is surely reached.
        level: one-sided error level of that end; None for the evaluation's confidence.
    """

    def __init__(
        self,
        *,
        metric: str,
        limit: float,
        bound: Bound | None = None,
        level: Level | None = None,
    ):
        built = build_metric(metric)
        if built.better == "one":
            raise ValueError(f"{metric!r} is best at 1: use the rule 'calibration' for it")
        self.metric, self._limit, self._digits = metric, limit, built.digits
        self._least = built.better == "higher"
        self._bound: Bound = bound or ("lower" if self._least else "upper")
        refuse_level_of_point(self._bound, level)
        self.errs_by, self.level = error_of(self._bound, self._least), level

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        describe = describe_minimum if self._least else describe_maximum
        asked = describe(self._number(self._limit), self._bound, self.level)
        return f"{metric_title(self.metric)}: {asked}"

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        estimate = evidence.candidate.estimate(self.metric)
        check, title = check_minimum if self._least else check_maximum, metric_title(self.metric)
        return check(title, estimate, self._limit, self._bound, self._number, self.level)

    def _number(self, number: float) -> str:
        return f"{number:.{self._digits}f}"
