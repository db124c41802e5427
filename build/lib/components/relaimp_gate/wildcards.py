"""Wildcards of thresholds: ``*`` and ``?``, and nothing else, are special."""

import functools
import re


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts, characters = [], iter(pattern)
    for character in characters:
        if character == "\\":
            # The character behind it stands for itself; so does one at the very end.
            parts.append(re.escape(next(characters, "\\")))
        elif character == "*":
            parts.append(".*")
        elif character == "?":
            parts.append(".")
        else:
            parts.append(re.escape(character))
    return re.compile("".join(parts), re.DOTALL)


def matches(name: str, pattern: str) -> bool:
    """Whether a whole name is what a pattern means.

    ``*`` is any text, ``?`` any character; a backslash takes the meaning from the character
    behind it (``5\\*`` is ``5*`` alone). Everything else, brackets too, stands for itself.

    Args:
        name: of a task, a feature, or a feature's value.
        pattern: with wildcards.
    """
    return name == pattern or _compiled(pattern).fullmatch(name) is not None
