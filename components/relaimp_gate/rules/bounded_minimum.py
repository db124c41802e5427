"""The comparison of an estimate, or one end of its interval, with a minimum."""

from collections.abc import Callable

from mtlx.components.relaimp_gate.rules.rule import Bound, Finding

_WORDS = {"lower": "lower bound", "point": "value", "upper": "upper bound"}


def describe_minimum(minimum: str, bound: Bound) -> str:
    """Returns what is asked for: ``lower bound at least +1.00 %``."""
    return f"{_WORDS[bound]} at least {minimum}"


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
    value, lower, upper = estimate
    decisive = {"lower": lower, "point": value, "upper": upper}[bound]
    asked = describe_minimum(number(minimum), bound)
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
    return Finding(passed, message, value, lower, upper)
