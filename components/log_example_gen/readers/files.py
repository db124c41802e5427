"""Files of any file system; those of this machine without importing Beam or TensorFlow."""

import glob
import os
from typing import BinaryIO


def is_remote(path: str) -> bool:
    """Whether a path is that of an object store or another file system: ``gs://...``."""
    return "://" in path


def is_folder(path: str) -> bool:
    """Whether the path is a folder."""
    if not is_remote(path):
        return os.path.isdir(path)
    from tfx.dsl.io import fileio

    return fileio.isdir(path)


def matching_files(pattern: str) -> list[str]:
    """Sorted files behind a glob pattern, without folders, hidden files and markers (_SUCCESS)."""
    return [
        path
        for path in sorted(_glob(pattern))
        if not os.path.basename(path).startswith((".", "_")) and not is_folder(path)
    ]


def open_file(path: str) -> BinaryIO:
    """Opens a file for reading, as it lies there: nothing is unpacked.

    Raises:
        OSError: it can't be opened.
    """
    if not is_remote(path):
        return open(path, "rb")
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    # Beam's own unpacking gives a file object that Arrow takes for closed.
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def _glob(pattern: str) -> list[str]:
    if not is_remote(pattern):
        return glob.glob(pattern)
    from tfx.dsl.io import fileio

    return fileio.glob(pattern)
