"""Markdown that shows any text as it is."""

import re
from collections.abc import Iterable, Sequence


def plain(text: object) -> str:
    """Returns text in which nothing is Markdown or HTML, fit for a cell of a table."""
    text = re.sub(r"\s+", " ", str(text)).strip()
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)


def code(text: object) -> str:
    """Returns text as code, fit for a cell of a table."""
    text = re.sub(r"\s+", " ", str(text)).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Returns the lines of a table, with an empty line before and behind.

    Args:
        titles: of the columns; one that begins with ``>`` is set to the right.
        rows: cells, Markdown already.
    """
    names = [title.removeprefix(">") for title in titles]
    lines = ["", f"| {' | '.join(names)} |"]
    lines.append("|" + "|".join("---:" if t.startswith(">") else "---" for t in titles) + "|")
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return [*lines, ""]
