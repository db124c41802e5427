"""Rule on the candidate's own AUC."""

from typing import Annotated

import pydantic

from mtlx.components.relaimp_gate.rules.bounded_minimum import (
    check_minimum,
    describe_minimum,
    error_of,
    refuse_level_of_point,
)
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Level, Rule


class AucRule(Rule):
    """Least AUC of the candidate, whatever the baseline reaches.

    Args:
        minimum: in [0, 1].
        bound: which of the confidence interval's ends, or the point, has to reach it.
        level: one-sided error level of that end; None for the evaluation's confidence.
    """

    def __init__(
        self,
        *,
        minimum: Annotated[float, pydantic.Field(ge=0.0, le=1.0)],
        bound: Bound = "lower",
        level: Level | None = None,
    ):
        refuse_level_of_point(bound, level)
        self._minimum, self._bound = minimum, bound
        self.errs_by, self.level = error_of(bound), level

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        return describe_minimum(_number(self._minimum), self._bound, self.level)

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        estimate = evidence.candidate.estimate("auc")
        return check_minimum("AUC", estimate, self._minimum, self._bound, _number, self.level)


def _number(number: float) -> str:
    return f"{number:.4f}"
