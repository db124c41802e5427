"""Paths that mean the same in every process."""

import os


def absolute(path: str, start: str | None = None) -> str:
    """A path from the root on; a URI stays as it is.

    Args:
        path: as a person wrote it.
        start: folder from which a relative path starts; the working directory if None.
    """
    return path if "://" in path else os.path.abspath(os.path.join(start or "", path))
