"""NumPy's archives on any file system, written piece by piece."""

import zipfile
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf


class _Writable(Protocol):
    def write(self, data: bytes) -> object: ...


def write_archive(path: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes what `numpy.load` reads, replaced whole or not at all.

    Nothing as large as an array is held beside it: `numpy.savez` needs a file that seeks, which
    remote file systems do not offer, and so the whole archive in memory.

    Args:
        path: of the archive.
        arrays: by name, without any of objects.
    """
    temporary = f"{path}.new"
    with (
        tf.io.gfile.GFile(temporary, "wb") as file,
        zipfile.ZipFile(_Stream(file), "w", zipfile.ZIP_STORED) as archive,  # type: ignore[call-overload]
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    tf.io.gfile.rename(temporary, path, overwrite=True)


class _Stream:
    """A file that can only be written on."""

    def __init__(self, file: _Writable) -> None:
        self._file = file

    def write(self, data: bytes | memoryview) -> int:
        self._file.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """What is written is there once the file is closed."""
