"""Commands in Markdown: those of indented and fenced blocks, and those in the text."""

import re
import shlex
from typing import NamedTuple

#: First words of a block that is none of commands: experiments, drawings, a Dockerfile.
_OTHER = (
    "- {",
    "anchor: {",
    "experiment file →",
    "compile  →",
    "FROM docker.io/",
    '--set "model.options',
)
_SHELL = ("bash", "sh", "shell", "console")


class Command(NamedTuple):
    """A command line.

    Attributes:
        words: as a shell takes them apart, without variables in front and `.venv/bin/`.
        whole: whether it stands in a block; what stands in the text may leave arguments out.
    """

    words: tuple[str, ...]
    whole: bool


def commands(text, programs):
    """All commands of a page.

    Args:
        text: Markdown.
        programs: first words of commands.

    Raises:
        ValueError: an indented block of which it is not known what it is.
    """
    fences = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.S | re.M)
    for _, language, block in fences:
        if language in _SHELL:
            yield from (Command(words, True) for words in _lines(block))
    text = re.sub(r"^( *)```\w*\n.*?^\1```$", "", text, flags=re.S | re.M)
    for block in _indented(text):
        if block.startswith(_OTHER) or block.split()[0] == "{":
            continue
        found = list(_lines(block))
        for words in found:
            if words[0] not in programs:
                raise ValueError(f"neither a command nor known as another block: {block!r}")
        yield from (Command(words, True) for words in found)
    text = re.sub(r"^    .*$", "", text, flags=re.M)
    for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text):
        try:
            (words,) = _lines(" ".join(span.split()))
        except ValueError:
            continue
        if words[0] in programs and len(words) > 1:
            yield Command(words, False)


def _indented(text):
    """Blocks of four blanks that stand after an empty line, and not within a list."""
    within, before, block = False, "", []
    for line in [*text.splitlines(), ""]:
        if line.startswith("    ") and (block or (not before and not within)):
            block.append(line[4:])
        elif block:
            yield "\n".join(block)
            block = []
        if line and not line.startswith(" "):
            within = bool(re.match(r"(-|\d+\.) ", line))
        before = line.strip()


def _lines(block):
    """The words of each command; a line goes on behind a backslash or within a quote."""
    pending = ""
    for line in block.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:
            continue
        pending = ""
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words:
            yield (words[0].removeprefix(".venv/bin/"), *words[1:])
    if pending:
        raise ValueError(f"does not end: {pending!r}")
