"""The comparison of an estimate, or one end of its interval, with a minimum or a maximum."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mtlx.components.relaimp_gate.rules.rule import Bound, Error, Finding

if TYPE_CHECKING:  # Settings are validated with the rules, which has to stay fast.
    from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate

_WORDS = {"lower": "lower bound", "point": "value", "upper": "upper bound"}


def refuse_level_of_point(bound: Bound, level: float | None) -> None:
    """Refuses a level where the value itself decides.

    Raises:
        ValueError: there is one.
    """
    if bound == "point" and level is not None:
        raise ValueError("level is that of an interval's end: leave it out where bound is point")


def error_of(bound: Bound, least: bool = True) -> Error | None:
    """How chance can make a check of an end against a limit err.

    Args:
        bound: the end.
        least: the limit is a minimum; else a maximum.
    """
    if bound == "point":
        return None
    return "passing" if (bound == "lower") == least else "blocking"


def describe_minimum(minimum: str, bound: Bound, level: float | None = None) -> str:
    """Returns what is asked for: ``lower bound at least +1.00 %``."""
    return f"{_end(bound, level)} at least {minimum}"


def describe_maximum(maximum: str, bound: Bound, level: float | None = None) -> str:
    """Returns what is asked for: ``upper bound at most 0.0200``."""
    return f"{_end(bound, level)} at most {maximum}"


def _end(bound: Bound, level: float | None) -> str:
    return _WORDS[bound] + ("" if level is None else f" of level {level:g}")


def check_maximum(
    name: str,
    estimate: "Estimate",
    maximum: float,
    bound: Bound,
    number: Callable[[float], str],
    level: float | None = None,
) -> Finding:
    """Compares as `check_minimum` does, with the most that the value or bound may be."""
    asked = describe_maximum(number(maximum), bound, level)
    return _check(name, estimate, maximum, False, asked, bound, number, level)


def check_minimum(
    name: str,
    estimate: "Estimate",
    minimum: float,
    bound: Bound,
    number: Callable[[float], str],
    level: float | None = None,
) -> Finding:
    """Compares; what is undefined does not pass.

    Args:
        name: of the value, for the reason.
        estimate: with its interval, its bounds at every level, and why one of them is undefined.
        minimum: the least that the value, or the chosen bound, has to be.
        bound: which of the three is compared.
        number: writes a number for people.
        level: one-sided, of the bound that is compared; None for the end of the interval.
    """
    asked = describe_minimum(number(minimum), bound, level)
    return _check(name, estimate, minimum, True, asked, bound, number, level)


def _check(
    name: str,
    estimate: "Estimate",
    limit: float,
    least: bool,
    asked: str,
    bound: Bound,
    number: Callable[[float], str],
    level: float | None,
) -> Finding:
    value, lower, upper, reason, curve = estimate
    decisive = {"lower": lower, "point": value, "upper": upper}[bound]
    if level is not None and bound != "point" and decisive is not None:
        decisive = curve.bound(level, bound) if curve else None
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
    passed = bool(decisive >= limit if least else decisive <= limit)
    message = f"{measured}: {asked} is {'met' if passed else 'not met'}"
    if bound == "point":
        return Finding(passed, message, value, lower, upper)
    p_value = curve.p_value(limit, bound) if curve else None
    return Finding(passed, message, value, lower, upper, error_of(bound, least), level, p_value)
