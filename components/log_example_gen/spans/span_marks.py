"""How the paths and the people of an experiment name portions of the logs."""

import datetime
from collections.abc import Iterable

_EPOCH = datetime.date(1970, 1, 1)


def has_span(pattern: str) -> bool:
    """Whether a pattern has a place for a span: ``{SPAN}``, ``{SPAN:2}`` or ``{YYYY}``."""
    return "{SPAN" in pattern or "{YYYY}" in pattern


def is_date(patterns: Iterable[str]) -> bool:
    """Whether the spans of patterns are dates."""
    return any("{YYYY}" in pattern for pattern in patterns)


def span_words(span: int, date: bool) -> str:
    """A span for people: its date, or its number."""
    return str(_EPOCH + datetime.timedelta(days=span)) if date else str(span)


def many_words(spans: Iterable[int], date: bool) -> str:
    """Spans for people, those that follow on each other as a range: ``1 to 3, 5``."""
    runs: list[list[int]] = []
    for span in sorted(spans):
        if runs and span == runs[-1][1] + 1:
            runs[-1][1] = span
        else:
            runs.append([span, span])
    return ", ".join(
        span_words(first, date)
        if first == last
        else f"{span_words(first, date)} to {span_words(last, date)}"
        for first, last in runs
    )
