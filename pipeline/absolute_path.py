"""Paths that mean the same in every process."""

import os


def absolute(path: str) -> str:
    """A path from the root on; a URI stays as it is."""
    return path if "://" in path else os.path.abspath(path)
