"""The comparison of an estimate, or one end of its interval, with a minimum or a maximum."""

from collections.abc import Callable

from mtlx.components.relaimp_gate.rules.rule import Bound, Finding

_WORDS = {"lower": "lower bound", "point": "value", "upper": "upper bound"}


def describe_minimum(minimum: str, bound: Bound) -> str:
    """Returns what is asked for: ``lower bound at least +1.00 %``."""
    return f"{_WORDS[bound]} at least {minimum}"


def describe_maximum(maximum: str, bound: Bound) -> str:
    """Returns what is asked for: ``upper bound at most 0.0200``."""
    return f"{_WORDS[bound]} at most {maximum}"


def check_maximum(
    name: str,
    estimate: tuple[float | None, float | None, float | None],
    maximum: float,
    bound: Bound,
    number: Callable[[float], str],
    reason: str | None = None,
) -> Finding:
    """Compares as `check_minimum` does, with the most that the value or bound may be."""
    asked = describe_maximum(number(maximum), bound)
    return _check(name, estimate, asked, bound, number, reason, lambda end: end <= maximum)


def check_minimum(
    name: str,
    estimate: tuple[float | None, float | None, float | None],
    minimum: float,
    bound: Bound,
    number: Callable[[float], str],
    reason: str | None = None,
) -> Finding:
    """Compares; what is undefined does not pass.

    Args:
        name: of the value, for the reason.
        estimate: value, lower and upper bound.
        minimum: the least that the value, or the chosen bound, has to be.
        bound: which of the three is compared.
        number: writes a number for people.
        reason: why the value or its interval is undefined, where that is known.
    """
    asked = describe_minimum(number(minimum), bound)
    return _check(name, estimate, asked, bound, number, reason, lambda end: end >= minimum)


def _check(
    name: str,
    estimate: tuple[float | None, float | None, float | None],
    asked: str,
    bound: Bound,
    number: Callable[[float], str],
    reason: str | None,
    meets: Callable[[float], bool],
) -> Finding:
    value, lower, upper = estimate
    decisive = {"lower": lower, "point": value, "upper": upper}[bound]
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
    passed = bool(meets(decisive))
    message = f"{measured}: {asked} is {'met' if passed else 'not met'}"
    return Finding(passed, message, value, lower, upper)
