"""How sure an estimate is, at every level: the bounds that p-values are read from."""

import dataclasses
import json
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import special

#: The end of an interval that decides: the lower one shows that the truth is at least a minimum,
#: the upper one that it is below it.
Side = Literal["lower", "upper"]

#: Levels are told as standard normal deviates: 1.96 is the upper end of a 95 % interval. The last
#: one leaves 3 in a million. Straight lines between bounds so far apart make p-values that are
#: right to a hundredth where clusters are many, and up to a tenth too large where they are six.
_LAST_DEVIATE, _STEP = 4.5, 0.5
_DEVIATES = np.arange(_STEP, _LAST_DEVIATE + _STEP / 2, _STEP)
#: Of the two-sided intervals whose ends a curve is made of, ``(9,)``; the middle is the value.
CURVE_CONFIDENCES = 1.0 - 2.0 * special.ndtr(-_DEVIATES)


@dataclasses.dataclass(frozen=True)
class ConfidenceCurve:
    """One-sided bounds of an estimate as a function of their level.

    The bound of the deviate z is the upper end of the one-sided level 1 - Phi(z); for a negative z
    it is the lower end of the level Phi(z), and at 0 the value itself. So bounds grow with z, and
    where they cross a minimum is how sure it is that the truth lies on the value's side of it: a
    p-value is nothing but the interval turned round, whatever the interval is made of (Schweder
    and Hjort 2016, Confidence, Likelihood, Probability, 3.2).

    Attributes:
        first: deviate of the first bound.
        bounds: ascending, finite, a step of 0.5 apart.
    """

    first: float
    bounds: tuple[float, ...]

    @classmethod
    def of_bounds(cls, value: float, lower: np.ndarray, upper: np.ndarray) -> "ConfidenceCurve":
        """Joins the ends of two-sided intervals.

        Args:
            value: the estimate.
            lower: ``(9,)``, ends at `CURVE_CONFIDENCES`; what is not finite has no end.
            upper: likewise.
        """
        # An end without a number stands for infinity; a narrower interval never reaches further.
        below = np.where(np.isfinite(lower), lower, -np.inf)
        above = np.where(np.isfinite(upper), upper, np.inf)
        below = np.minimum.accumulate(np.minimum(below, value))
        above = np.maximum.accumulate(np.maximum(above, value))
        known_below, known_above = np.isfinite(below).sum(), np.isfinite(above).sum()
        bounds = (*below[:known_below][::-1], value, *above[:known_above])
        return cls(-_STEP * float(known_below), tuple(map(float, bounds)))

    @classmethod
    def of_intervals(
        cls, value: float, interval: Callable[[float], tuple[float | None, float | None]]
    ) -> "ConfidenceCurve":
        """Asks for the intervals one by one.

        Args:
            value: the estimate.
            interval: gives both ends of a two-sided confidence, None for an end that it lacks.
        """
        ends = [interval(float(confidence)) for confidence in CURVE_CONFIDENCES]
        lower, upper = np.array(ends, np.float64).T
        return cls.of_bounds(value, lower, upper)

    def p_value(self, minimum: float, side: Side) -> float:
        """How often so much evidence would come up by chance.

        Args:
            minimum: what is asked for.
            side: ``lower`` looks for evidence that the truth is at least the minimum: the p-value
                is the level at which the lower end just reaches it, and belongs to the hypothesis
                that the truth is below. ``upper`` looks for evidence that it is below: the level
                at which the upper end falls under the minimum.

        Returns:
            In (0, 1). Beyond the last bound it is that bound's level, so never too small.
        """
        deviate = self._crossing(minimum)
        return float(special.ndtr(deviate if side == "lower" else -deviate))

    def bound(self, level: float, side: Side) -> float:
        """The end of the one-sided interval of a level.

        Args:
            level: in (0, 1), of error.
            side: which end.

        Returns:
            Infinite where it is unbounded, or beyond what is known.
        """
        deviate = special.ndtri(level) if side == "lower" else -special.ndtri(level)
        deviates = self._deviates
        if deviate < deviates[0] - 1e-9 or deviate > deviates[-1] + 1e-9:
            return -np.inf if deviate < 0 else np.inf
        return float(np.interp(deviate, deviates, self.bounds))

    def negative(self) -> "ConfidenceCurve":
        """That of the estimate with the other sign, for what is better the less it is."""
        last = self.first + _STEP * (len(self.bounds) - 1)
        return ConfidenceCurve(-last, tuple(-bound for bound in reversed(self.bounds)))

    def to_text(self) -> str:
        """Returns what `from_text` reads, with nine digits per bound."""
        rounded = [float(f"{bound:.9g}") for bound in self.bounds]
        return json.dumps({"first": self.first, "bounds": rounded})

    @classmethod
    def from_text(cls, text: str) -> "ConfidenceCurve":
        """Reads what `to_text` wrote."""
        values = json.loads(text)
        return cls(values["first"], tuple(values["bounds"]))

    @property
    def _deviates(self) -> np.ndarray:
        return self.first + _STEP * np.arange(len(self.bounds))

    def _crossing(self, minimum: float) -> float:
        """The least deviate whose bound is at least the minimum."""
        deviates, place = self._deviates, int(np.searchsorted(self.bounds, minimum, "left"))
        if place in (0, len(self.bounds)):
            return float(deviates[min(place, len(self.bounds) - 1)])
        below, above = self.bounds[place - 1], self.bounds[place]
        share = (minimum - below) / (above - below)
        return float(deviates[place - 1] + share * _STEP)
