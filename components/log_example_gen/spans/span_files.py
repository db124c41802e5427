"""Which portions of the logs there are, by the names of their files."""

import datetime
import re

from mtlx.components.log_example_gen.readers.files import matching_files

#: Marks of a portion of the logs, and what a pattern of file names may hold besides.
_TOKEN = re.compile(r"(\{[A-Z]+(?::\d+)?\}|\*|\?|\[[^]/]*\])")
_EPOCH = datetime.date(1970, 1, 1)


def span_files(pattern: str, as_run: bool = False) -> dict[int, list[str]]:
    """Files of a pattern by the number of their span; of each span those of the newest version.

    Args:
        pattern: with a place for the span.
        as_run: only what is found where a span is asked for by its number, for which TFX writes
            ``{SPAN}`` without zeros before it; ``{SPAN:2}`` has them.

    Returns:
        In the order of the spans; the files sorted.
    """
    tokens = _TOKEN.split(pattern)
    files = matching_files("".join("*" if token.startswith("{") else token for token in tokens))
    expression = re.compile(_whole(tokens, r"(?:0|[1-9]\d*)" if as_run else r"\d+"))
    found: dict[int, dict[int, list[str]]] = {}
    for file in files:
        match = expression.fullmatch(file)
        if match is not None and (numbers := _numbers(match.groupdict())) is not None:
            span, version = numbers
            found.setdefault(span, {}).setdefault(version, []).append(file)
    return {span: found[span][max(found[span])] for span in sorted(found)}


def _whole(tokens: list[str], number: str) -> str:
    """A pattern as a regular expression; a mark that stands there twice is the same each time."""
    seen: set[str] = set()
    parts = []
    for token in tokens:
        name = token.strip("{}").partition(":")[0] if token.startswith("{") else None
        if name is not None and name in seen:
            parts.append(f"(?P={name})")
            continue
        if name is not None:
            seen.add(name)
        parts.append(_expression(token, number))
    return "".join(parts)


def _expression(token: str, number: str) -> str:
    """A token of a pattern as a regular expression."""
    if token.startswith("{"):
        name, _, width = token.strip("{}").partition(":")
        fixed = {"YYYY": "4", "MM": "2", "DD": "2"}.get(name, width)
        return rf"(?P<{name}>\d{{{fixed}}})" if fixed else rf"(?P<{name}>{number})"
    special = {"*": "[^/]*", "?": "[^/]"}
    if token in special:
        return special[token]
    if token.startswith("[") and token.endswith("]") and len(token) > 2:
        return token.replace("[!", "[^", 1)
    return re.escape(token)


def _numbers(groups: dict[str, str]) -> tuple[int, int] | None:
    """Span and version; None for what is no date."""
    version = int(groups.get("VERSION", 0))
    if "SPAN" in groups:
        return int(groups["SPAN"]), version
    try:
        date = datetime.date(*(int(groups[name]) for name in ("YYYY", "MM", "DD")))
    except (KeyError, ValueError):
        return None
    return (date - _EPOCH).days, version
