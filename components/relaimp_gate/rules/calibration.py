"""Rule on the candidate's calibration."""

from typing import Annotated

import pydantic

from mtlx.components.relaimp_gate.rules.rule import Evidence, Finding, Rule


class CalibrationRule(Rule):
    """Band for the mean prediction divided by the mean label; 1 is perfect.

    Args:
        minimum: least ratio.
        maximum: greatest ratio, above the minimum.
    """

    def __init__(
        self,
        *,
        minimum: Annotated[float, pydantic.Field(ge=0.0)] = 0.8,
        maximum: pydantic.PositiveFloat = 1.25,
    ):
        if maximum <= minimum:
            raise ValueError(f"maximum {maximum} should be above minimum {minimum}")
        self._minimum, self._maximum = minimum, maximum

    @property
    def threshold(self) -> str:
        """What is asked for, in a few words."""
        return f"between {self._minimum:.3f} and {self._maximum:.3f}"

    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
        ratio = evidence.candidate.calibration
        if ratio is None:
            return Finding(False, f"calibration is undefined; {self.threshold} is asked for")
        passed = bool(self._minimum <= ratio <= self._maximum)
        verb = "lies" if passed else "does not lie"
        return Finding(passed, f"calibration {ratio:.3f} {verb} {self.threshold}", ratio)
