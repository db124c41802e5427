"""Files of any file system; those of this machine without importing Beam or TensorFlow."""

import glob
import gzip
import hashlib
import os
from typing import BinaryIO

#: Of a large file so many places of so many bytes are digested.
_PLACES, _PLACE_BYTES = 1024, 64 << 10

#: The first bytes of every gzip file.
_GZIP = b"\x1f\x8b"


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
    """Sorted files behind a glob pattern, without folders, hidden files and markers (_SUCCESS).

    A file that is called as the pattern is written is the only one behind it.
    """
    return [
        path
        for path in sorted(_glob(as_written(pattern)))
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


def open_unpacked(path: str) -> BinaryIO:
    """Opens a file for reading, unpacked if its first bytes are gzip's, whatever its name.

    Raises:
        OSError: it can't be opened.
    """
    stream = open_file(path)
    start = stream.read(len(_GZIP))
    stream.seek(0)
    return _Unpacked(stream) if start == _GZIP else stream


class _Unpacked(gzip.GzipFile):
    """A gzip stream that closes what it reads."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(fileobj=stream)
        self._packed = stream

    def close(self) -> None:
        super().close()
        self._packed.close()


def as_written(pattern: str) -> str:
    """A glob pattern in which what exists as it is written stands for itself.

    ``/data/log[1]/*.csv`` is every CSV file of the folder ``log[1]`` where that folder exists, and
    of ``log1`` where it does not. On other file systems only a whole path is looked for.
    """
    if not any(mark in pattern for mark in "*?["):
        return pattern
    if is_remote(pattern):
        from tfx.dsl.io import fileio

        return glob.escape(pattern) if fileio.exists(pattern) else pattern
    parts = pattern.split("/")
    for count in range(len(parts), 0, -1):
        start = "/".join(parts[:count])
        if start and os.path.lexists(start):
            return "/".join([glob.escape(start), *parts[count:]])
    return pattern


def content_digest(paths: list[str]) -> str:
    """Digest of what files of this machine hold, and of their names.

    A file up to 64 MiB is digested whole, a larger one in 1,024 places of 64 KiB that are spread
    evenly from its first bytes to its last. Files of other file systems are left out: an object
    store sets the time of a change itself.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        if is_remote(path):
            continue
        size = os.path.getsize(path)
        digest.update(f"{os.path.basename(path)}\0{size}\0".encode(errors="surrogateescape"))
        starts = range(0, size, _PLACE_BYTES)
        if size > _PLACES * _PLACE_BYTES:
            starts = [place * (size - _PLACE_BYTES) // (_PLACES - 1) for place in range(_PLACES)]
        with open(path, "rb", buffering=0) as file:
            for start in starts:
                file.seek(start)
                digest.update(file.read(_PLACE_BYTES))
    return digest.hexdigest()


def _glob(pattern: str) -> list[str]:
    if not is_remote(pattern):
        return glob.glob(pattern)
    from tfx.dsl.io import fileio

    return fileio.glob(pattern)
