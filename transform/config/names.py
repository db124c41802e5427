"""The nearest valid name for a misspelt one, for error messages."""

import difflib
from collections.abc import Iterable


def suggest(unknown: str, known: Iterable[str]) -> str:
    """Returns the part of an error message that leads from a wrong name to a right one.

    Args:
        unknown: the name that was given.
        known: all names that would have been valid.

    Returns:
        For example ``did you mean 'dtn'? Known: 'dtn', 'mmoe', 'ple'``.
    """
    names = sorted(known)
    listing = "Known: " + (", ".join(repr(name) for name in names) or "none")
    nearest = difflib.get_close_matches(unknown, names, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}? {listing}" if nearest else listing
