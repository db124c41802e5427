"""Files of which there is one per span: where that of a span is."""

import datetime
import re

_EPOCH = datetime.date(1970, 1, 1)
_NUMBER = re.compile(r"\{SPAN(?::(\d+))?\}")


def span_path(path: str, span: int | None) -> str:
    """Puts a span into a path, where that has a place for it.

    Args:
        path: with ``{SPAN}``, ``{SPAN:WIDTH}``, or ``{YYYY}``, ``{MM}`` and ``{DD}``, as
            `data.path` has them; or without.
        span: its number, a date's the days since 1970; None leaves the path as it is.
    """
    if span is None:
        return path
    path = _NUMBER.sub(lambda found: f"{span:0{found[1] or 1}d}", path)
    if "{YYYY}" not in path:
        return path
    date = _EPOCH + datetime.timedelta(days=span)
    path = path.replace("{YYYY}", f"{date.year:04d}")
    return path.replace("{MM}", f"{date.month:02d}").replace("{DD}", f"{date.day:02d}")


def has_span(path: str) -> bool:
    """Whether a path has a place for a span."""
    return "{YYYY}" in path or _NUMBER.search(path) is not None
