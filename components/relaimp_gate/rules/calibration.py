"""Rule on the candidate's calibration."""

from typing import Annotated

import pydantic

from mtlx.components.relaimp_gate.rules.rule import Bound, Evidence, Finding, Rule


class CalibrationRule(Rule):
    """Band for the mean prediction divided by the mean label; 1 is perfect.

    Args:
        minimum: least ratio.
        maximum: greatest ratio, above the minimum.
        bound: ``point`` asks the ratio itself to lie in the band; ``lower`` its whole confidence
            interval (a proven calibration); ``upper`` holds a candidate back only where the
            interval lies outside (a proven miscalibration).
    """

    metric = "calibration"

    def __init__(
        self,
        *,
        minimum: Annotated[float, pydantic.Field(ge=0.0)] = 0.8,
        maximum: pydantic.PositiveFloat = 1.25,
        bound: Bound = "point",
    ):
        if maximum <= minimum:
            raise ValueError(f"maximum {maximum} should be above minimum {minimum}")
        self._minimum, self._maximum, self._bound = minimum, maximum, bound

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        band = f"between {self._minimum:.3f} and {self._maximum:.3f}"
        return {"point": "", "lower": "interval ", "upper": "some of the interval "}[
            self._bound
        ] + band

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        ratio, lower, upper, reason = evidence.candidate.estimate("calibration")
        why = f" ({reason})" if reason else ""
        if ratio is None:
            return Finding(False, f"calibration is undefined{why}; {self.threshold} is asked for")
        measured = f"calibration {ratio:.3f}"
        if lower is not None and upper is not None:
            measured += f" [{lower:.3f}, {upper:.3f}]"
        elif self._bound != "point":
            message = f"{measured} has no confidence interval{why}, so {self.threshold}"
            return Finding(False, f"{message} cannot be shown", ratio)
        if self._bound == "point" or lower is None or upper is None:
            passed = bool(self._minimum <= ratio <= self._maximum)
        elif self._bound == "lower":
            passed = bool(self._minimum <= lower and upper <= self._maximum)
        else:
            passed = bool(lower <= self._maximum and upper >= self._minimum)
        if self._bound == "point":
            verb = "lies" if passed else "does not lie"
            return Finding(passed, f"{measured} {verb} {self.threshold}", ratio, lower, upper)
        message = f"{measured}: {self.threshold} is {'met' if passed else 'not met'}"
        return Finding(passed, message, ratio, lower, upper)
