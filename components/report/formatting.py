"""Writes numbers for people; the filters of the report's templates."""

import math
import re

_MINUS = "\N{MINUS SIGN}"
_NONE = "\N{EN DASH}"


def count(number: float | None) -> str:
    """Returns ``12,345``."""
    return _NONE if number is None else f"{number:,.0f}"


def fixed(number: float | None, digits: int = 4) -> str:
    """Returns a number with so many decimals, a dash for None."""
    if number is None or not math.isfinite(number):
        return _NONE
    return f"{number:.{digits}f}".replace("-", _MINUS)


def signed(number: float | None, digits: int = 2) -> str:
    """Returns ``+1.25`` or a minus of the same width."""
    if number is None or not math.isfinite(number):
        return _NONE
    return f"{number:+.{digits}f}".replace("-", _MINUS)


def short(number: float | None) -> str:
    """Returns four significant digits at most, for numbers of any size."""
    if number is None or not math.isfinite(number):
        return _NONE
    return f"{number:,.4g}".replace("-", _MINUS)


def share(part: float, whole: float) -> str:
    """Returns ``12.5 %``, ``<0.1 %`` for what would round to nothing."""
    if not whole:
        return _NONE
    percent = 100 * part / whole
    return "<0.1 %" if 0 < percent < 0.05 else f"{percent:.1f} %"


def duration(seconds: float | None) -> str:
    """Returns ``7.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds is None:
        return _NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def measured(rule: str, number: float) -> str:
    """Returns what a rule of the gate measured, in the rule's unit."""
    if rule == "relaimp":
        return f"{signed(number)} %"
    digits = {"auc": 4, "calibration": 3}.get(rule)
    return short(number) if digits is None else fixed(number, digits)


def p_value(number: float) -> str:
    """Returns two significant digits, and no more zeros than a person counts."""
    return "<0.0001" if number < 0.0001 else f"{number:.2g}"


def typeset(text: str) -> str:
    """Gives a plain sentence real minus signs, and percent signs that stay with their number."""
    return re.sub(r"(?<![\w.])-(?=\d)", _MINUS, text).replace(" %", "\N{NO-BREAK SPACE}%")


FILTERS = {
    "typeset": typeset,
    "measured": measured,
    "p_value": p_value,
    "count": count,
    "fixed": fixed,
    "signed": signed,
    "short": short,
    "duration": duration,
}
