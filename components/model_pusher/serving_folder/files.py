"""Files below a path or a URI: the operating system's own where the path is local.

TensorFlow is imported for URIs only, so that a push into a folder needs none of it.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

_CHUNK = 1 << 20


class Files(Protocol):
    """What a push needs of a file system."""

    def names(self, folder: str) -> list[str]:
        """Names of what lies directly in a folder; none where there is no such folder."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of every file below a folder, by its path from there on.

        Raises:
            FileNotFoundError: no such folder.
        """

    def read(self, path: str) -> Iterator[bytes]:
        """The content of a file, in pieces.

        Raises:
            OSError: it cannot be read.
        """

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Writes a file, with the folders above it, to the disk and not only to the cache.

        Raises:
            OSError: it cannot be written.
        """

    def remove(self, folder: str) -> None:
        """Removes a folder and what is below it; nothing happens where there is none.

        Raises:
            OSError: it cannot be removed.
        """


class LocalFiles:
    """`Files` of the operating system."""

    def names(self, folder: str) -> list[str]:
        """See `Files`."""
        return os.listdir(folder) if os.path.isdir(folder) else []

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Files`; links are followed."""
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"{folder}: no such folder")
        found = {}
        for place, _, names in os.walk(folder, followlinks=True):
            for name in names:
                path = os.path.join(place, name)
                found[os.path.relpath(path, folder)] = os.path.getsize(path)
        return found

    def read(self, path: str) -> Iterator[bytes]:
        """See `Files`."""
        with open(path, "rb") as file:
            while piece := file.read(_CHUNK):
                yield piece

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """See `Files`."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    def remove(self, folder: str) -> None:
        """See `Files`."""
        if os.path.isdir(folder):
            shutil.rmtree(folder)


class RemoteFiles:
    """`Files` of ``tf.io.gfile``: buckets, HDFS and what else TensorFlow opens."""

    def names(self, folder: str) -> list[str]:
        """See `Files`; an object store ends the names of its folders with a slash."""
        gfile = _gfile()
        return [name.rstrip("/") for name in gfile.listdir(folder)] if gfile.isdir(folder) else []

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Files`."""
        gfile = _gfile()
        if not gfile.isdir(folder):
            raise FileNotFoundError(f"{folder}: no such folder")
        found = {}
        for place, _, names in gfile.walk(folder):
            below = place.removeprefix(folder).strip("/")
            for name in (name for name in names if name):
                path = f"{below}/{name}" if below else name
                found[path] = gfile.stat(f"{folder}/{path}").length
        return found

    def read(self, path: str) -> Iterator[bytes]:
        """See `Files`."""
        with _errors(), _gfile().GFile(path, "rb") as file:
            while piece := file.read(_CHUNK):
                yield piece

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """See `Files`."""
        with _errors():
            _gfile().makedirs(path.rpartition("/")[0])
            with _gfile().GFile(path, "wb") as file:
                for piece in pieces:
                    file.write(piece)

    def remove(self, folder: str) -> None:
        """See `Files`."""
        with _errors():
            if _gfile().isdir(folder):
                _gfile().rmtree(folder)

    def rename(self, source: str, target: str) -> None:
        """Gives a file another name; on object stores a copy on the server's side.

        Raises:
            OSError: it cannot be done.
        """
        with _errors():
            _gfile().makedirs(target.rpartition("/")[0])
            _gfile().rename(source, target)


def is_remote(path: str) -> bool:
    """Whether a path is a URI, which the operating system does not open."""
    return "://" in path


def files_of(path: str) -> LocalFiles | RemoteFiles:
    """The file system that a path or URI belongs to."""
    return RemoteFiles() if is_remote(path) else LocalFiles()


def _gfile() -> Any:
    import tensorflow as tf

    return tf.io.gfile


class _errors:
    """Gives TensorFlow's errors the type that those of local files have."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import tensorflow as tf

        if isinstance(error, tf.errors.NotFoundError):
            raise FileNotFoundError(error.message) from error
        if isinstance(error, tf.errors.OpError):
            raise OSError(error.message) from error
