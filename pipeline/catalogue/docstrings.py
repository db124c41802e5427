"""Parts of the docstrings that the reference pages are made of, as Markdown."""

import re
import textwrap
from collections.abc import Iterator

import docstring_parser

#: Headings of a docstring's sections.
_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields|Shown to learn):")
_CODE = re.compile(r"(``.+?``|`.+?`)", re.DOTALL)


def documented(text: str | None, kind: str) -> dict[str, str]:
    """Descriptions by name; one text may stand for several names: ``train, test: ...``.

    Args:
        text: a docstring.
        kind: of what it describes: ``param``, ``attribute``.
    """
    parsed = docstring_parser.parse(text or "", docstring_parser.DocstringStyle.GOOGLE)
    return {
        name: " ".join((entry.description or "").split())
        for entry in parsed.meta
        if entry.args[0] == kind
        for name in entry.args[1].split(", ")
    }


def sections(text: str) -> dict[str, str]:
    """A docstring by its headings; what stands before the first has the heading ``""``.

    Args:
        text: without the indentation that all its lines share.
    """
    found: dict[str, list[str]] = {"": []}
    lines = found[""]
    for line in text.splitlines():
        heading = _SECTION.fullmatch(line)
        if heading:
            lines = found.setdefault(heading.group(1), [])
        else:
            lines.append(line)
    return {heading: textwrap.dedent("\n".join(lines)).strip() for heading, lines in found.items()}


def as_markdown(text: str) -> str:
    """A docstring's text as Markdown shows it: literals as code, every other sign as it stands."""
    pieces = _CODE.split("\n".join(_apart(text.splitlines())))
    return "".join(
        f"`{piece.strip('`')}`" if number % 2 else _escaped(piece)
        for number, piece in enumerate(pieces)
    )


def _escaped(text: str) -> str:
    return re.sub(r"([*|\[\]])", r"\\\1", text).replace("<", "&lt;").replace(">", "&gt;")


def _apart(lines: list[str]) -> Iterator[str]:
    """The lines with a blank one before every list, which Markdown asks for."""
    in_list, before = False, ""
    for line in lines:
        starts = line.startswith("- ")
        if starts and before and not in_list:
            yield ""
        in_list = starts or (in_list and line.startswith("  "))
        yield line
        before = line
