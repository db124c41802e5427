"""How much a run's nodes wrote."""

import os
from collections.abc import Iterable


def written_bytes(uris: Iterable[str]) -> int | None:
    """Size of the files below some folders, in bytes.

    Args:
        uris: paths of folders; one that is not there has none.

    Returns:
        The sum; None where one of them is in an object store, which takes too long to ask.
    """
    total = 0
    for uri in uris:
        if "://" in uri:
            return None
        for folder, _, names in os.walk(uri):
            for name in names:
                try:
                    total += os.lstat(os.path.join(folder, name)).st_size
                except FileNotFoundError:
                    continue  # A temporary file of a library that is still at its end.
    return total
