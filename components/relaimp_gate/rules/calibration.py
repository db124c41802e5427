"""Rule on the candidate's calibration."""

from typing import TYPE_CHECKING, Annotated

import pydantic

from mtlx.components.relaimp_gate.rules.bounded_minimum import error_of, refuse_level_of_point
from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Level, Rule

if TYPE_CHECKING:  # Settings are validated with the rules, which has to stay fast.
    from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve


class CalibrationRule(Rule):
    """Band for the mean prediction divided by the mean label; 1 is perfect.

    Args:
        minimum: least ratio.
        maximum: greatest ratio, above the minimum.
        bound: ``point`` asks the ratio itself to lie in the band; ``lower`` its whole confidence
            interval (a proven calibration); ``upper`` holds a candidate back only where the
            interval lies outside (a proven miscalibration).
        level: one-sided error level of its ends; None for the evaluation's confidence.
    """

    metric = "calibration"

    def __init__(
        self,
        *,
        minimum: Annotated[float, pydantic.Field(ge=0.0)] = 0.8,
        maximum: pydantic.PositiveFloat = 1.25,
        bound: Bound = "point",
        level: Level | None = None,
    ):
        if maximum <= minimum:
            raise ValueError(f"maximum {maximum} should be above minimum {minimum}")
        refuse_level_of_point(bound, level)
        self._minimum, self._maximum, self._bound = minimum, maximum, bound
        self.errs_by, self.level = error_of(bound), level

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        band = f"between {self._minimum:.3f} and {self._maximum:.3f}"
        return {"point": "", "lower": "interval ", "upper": "some of the interval "}[
            self._bound
        ] + band

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        ratio, lower, upper, reason, curve = evidence.candidate.estimate("calibration")
        why = f" ({reason})" if reason else ""
        if ratio is None:
            return Finding(False, f"calibration is undefined{why}; {self.threshold} is asked for")
        measured = f"calibration {ratio:.3f}"
        if lower is not None and upper is not None:
            measured += f" [{lower:.3f}, {upper:.3f}]"
        if self._bound != "point" and (lower is None or upper is None or self._lacks(curve)):
            message = f"{measured} has no confidence interval{why}, so {self.threshold}"
            return Finding(False, f"{message} cannot be shown", ratio)
        if self._bound == "point" or lower is None or upper is None:
            passed = bool(self._minimum <= ratio <= self._maximum)
            verb = "lies" if passed else "does not lie"
            return Finding(passed, f"{measured} {verb} {self.threshold}", ratio, lower, upper)
        ends = lower, upper
        if self.level is not None and curve is not None:
            ends = curve.bound(self.level, "lower"), curve.bound(self.level, "upper")
        if self._bound == "lower":
            passed = bool(self._minimum <= ends[0] and ends[1] <= self._maximum)
        else:
            passed = bool(ends[0] <= self._maximum and ends[1] >= self._minimum)
        message = f"{measured}: {self.threshold} is {'met' if passed else 'not met'}"
        p_value = self._p_value(curve) if curve else None
        return Finding(passed, message, ratio, lower, upper, self.errs_by, self.level, p_value)

    def _lacks(self, curve: "ConfidenceCurve | None") -> bool:
        return self.level is not None and curve is None

    def _p_value(self, curve: "ConfidenceCurve") -> float:
        """Both ends have to be shown inside; of one outside it is enough."""
        if self._bound == "lower":
            within = curve.p_value(self._minimum, "lower"), curve.p_value(self._maximum, "upper")
            return max(within)
        return min(curve.p_value(self._minimum, "upper"), curve.p_value(self._maximum, "lower"))
