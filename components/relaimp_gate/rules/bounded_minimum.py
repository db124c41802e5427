"""The comparison of an estimate, or one end of its interval, with a minimum."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mtlx.components.relaimp_gate.rules.rule import Bound, Error, Finding

if TYPE_CHECKING:  # Settings are validated with the rules, which has to stay fast.
    from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve

_WORDS = {"lower": "lower bound", "point": "value", "upper": "upper bound"}


def refuse_level_of_point(bound: Bound, level: float | None) -> None:
    """Refuses a level where the value itself decides.

    Raises:
        ValueError: there is one.
    """
    if bound == "point" and level is not None:
        raise ValueError("level is that of an interval's end: leave it out where bound is point")


def error_of_minimum(bound: Bound) -> Error | None:
    """How chance can make a check of an end against a minimum err."""
    errors: dict[Bound, Error | None] = {"lower": "passing", "point": None, "upper": "blocking"}
    return errors[bound]


def describe_minimum(minimum: str, bound: Bound, level: float | None = None) -> str:
    """Returns what is asked for: ``lower bound at least +1.00 %``."""
    of_level = "" if level is None else f" of level {level:g}"
    return f"{_WORDS[bound]}{of_level} at least {minimum}"


def check_minimum(
    name: str,
    estimate: tuple[float | None, float | None, float | None],
    minimum: float,
    bound: Bound,
    number: Callable[[float], str],
    reason: str | None = None,
    curve: "ConfidenceCurve | None" = None,
    level: float | None = None,
) -> Finding:
    """Compares; what is undefined does not pass.

    Args:
        name: of the value, for the reason.
        estimate: value, lower and upper bound.
        minimum: the least that the value, or the chosen bound, has to be.
        bound: which of the three is compared.
        number: writes a number for people.
        reason: why the value or its interval is undefined, where that is known.
        curve: bounds of the estimate at every level; None where there is no interval.
        level: one-sided, of the bound that is compared; None for the end of the interval.
    """
    value, lower, upper = estimate
    decisive = {"lower": lower, "point": value, "upper": upper}[bound]
    if level is not None and bound != "point" and decisive is not None:
        decisive = curve.bound(level, bound) if curve else None
    asked = describe_minimum(number(minimum), bound, level)
    why = f" ({reason})" if reason else ""
    if value is None:
        return Finding(False, f"{name} is undefined{why}, so {asked} cannot be shown")
    measured = f"{name} {number(value)}"
    if lower is not None and upper is not None:
        measured += f" [{number(lower)}, {number(upper)}]"
    if decisive is None:
        message = f"{measured} has no confidence interval{why}, so {asked} cannot be shown"
        return Finding(False, message, value, lower, upper)
    # A NaN compares false, so it does not pass.
    passed = bool(decisive >= minimum)
    message = f"{measured}: {asked} is {'met' if passed else 'not met'}"
    if bound == "point":
        return Finding(passed, message, value, lower, upper)
    p_value = curve.p_value(minimum, bound) if curve else None
    errs_by = error_of_minimum(bound)
    return Finding(passed, message, value, lower, upper, errs_by, level, p_value)
