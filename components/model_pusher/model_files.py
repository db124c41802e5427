"""The files of a SavedModel: their digest, and a copy that ends with what makes it a model."""

import hashlib
import json
import os
from collections.abc import Iterator

from mtlx.components.model_pusher.serving_folder.files import files_of

#: What a push writes beside a model. TensorFlow Serving reads warm-up requests from this folder
#: and leaves alone what else is there.
RECORD_FILE = "assets.extra/push.json"

#: Without it no loader takes a folder for a SavedModel; a copy writes it last.
_MAKES_IT_A_MODEL = ("saved_model.pb", "saved_model.pbtxt")


def model_files(folder: str) -> dict[str, int]:
    """Bytes of a model's files by path, in the order in which a copy writes them.

    Args:
        folder: path or URI of a SavedModel.

    Raises:
        FileNotFoundError: no such folder.
    """
    sizes = files_of(folder).sizes(folder)
    names = sorted(sizes, key=lambda name: (name in _MAKES_IT_A_MODEL, name))
    return {name: sizes[name] for name in names if name != RECORD_FILE}


def is_model(names: list[str]) -> bool:
    """Whether a folder with these names in it is one that a loader takes for a SavedModel."""
    return any(name in names for name in _MAKES_IT_A_MODEL)


def model_digest(folder: str) -> str:
    """SHA-256 of a model: of the names and contents of its files, but not of `RECORD_FILE`.

    Raises:
        OSError: it cannot be read.
    """
    files = files_of(folder)
    contents = {}
    for name in model_files(folder):
        content = hashlib.sha256()
        for piece in files.read(os.path.join(folder, name)):
            content.update(piece)
        contents[name] = content.hexdigest()
    return _digest(contents)


def same_model(folder: str, other: str, digest: str) -> bool:
    """Whether a folder holds the same model as another one.

    Args:
        folder: path or URI; one without a model holds another one.
        other: path or URI of a model.
        digest: of that model.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        # Names and sizes differ mostly, and say so without reading a byte.
        return model_files(folder) == model_files(other) and model_digest(folder) == digest
    except FileNotFoundError:  # removed while it was looked at
        return False


def copy_model(source: str, target: str) -> str:
    """Copies a model, `RECORD_FILE` left out.

    Args:
        source: path or URI of a SavedModel.
        target: path or URI of a folder without one.

    Returns:
        The digest of what was read and written.

    Raises:
        OSError: a file cannot be read or written; what was written stays.
    """
    reading, writing = files_of(source), files_of(target)
    contents = {}
    for name in model_files(source):
        content = hashlib.sha256()
        pieces = _noted(reading.read(os.path.join(source, name)), content)
        writing.write(os.path.join(target, name), pieces)
        contents[name] = content.hexdigest()
    return _digest(contents)


def _noted(pieces: Iterator[bytes], content: "hashlib._Hash") -> Iterator[bytes]:
    for piece in pieces:
        content.update(piece)
        yield piece


def _digest(contents: dict[str, str]) -> str:
    text = json.dumps(sorted(contents.items()))
    return hashlib.sha256(text.encode()).hexdigest()
