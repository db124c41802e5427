"""The folders that a run writes into: whether it can, and what a full disk looks like."""

import errno
from collections.abc import Mapping

from components.model_pusher.push import folder_problem

#: What libraries say of a full disk where they raise an error of their own.
_FULL = ("No space left on device", "database or disk is full", "Disk quota exceeded")


class PlaceUnusable(ValueError):
    """A folder that a run writes into cannot be written; the message has a line for each."""


def check_writable(places: Mapping[str, str]) -> None:
    """Looks, and writes nothing.

    Args:
        places: path or URI of each folder, by the setting that names it; of a URI nothing is known.

    Raises:
        PlaceUnusable: one cannot be written or made.
    """
    lines = []
    for setting, path in places.items():
        problem = folder_problem(path)
        if problem is not None:
            lines.append(
                f"{setting}: {path} cannot be written: {problem}. Name a folder that can be, with "
                f"--set {setting}=..."
            )
    if lines:
        raise PlaceUnusable("\n".join(lines))


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, comes of a full disk or quota."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(words in str(error) for words in _FULL):
            return True
        error = error.__cause__ or error.__context__
    return False
