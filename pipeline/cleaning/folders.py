"""Folders of past runs: which there are, how large and how old, and their removal.

A local folder gets another name first, at one stroke, so that no reader finds a part of it.
"""

import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator

from mtlx.components.model_pusher.serving_folder.files import files_of, is_remote

#: Folder of a pipeline's artifacts for what is being removed.
_TRASH = ".removed"
#: What lies beside the nodes' folders.
QUARANTINE, CHECKPOINTS, COMPILED = "quarantine", "checkpoints", "ir"
_SYSTEM = ".system"


@dataclasses.dataclass(frozen=True)
class OutputFolder:
    """What one execution wrote for one output.

    Attributes:
        node: id of the node.
        output: name of the output.
        number: of the execution.
        path: path or URI.
    """

    node: str
    output: str
    number: int
    path: str


class Folders:
    """What lies below a pipeline's artifacts.

    Args:
        root: folder or URI of the artifacts.
    """

    def __init__(self, root: str):
        self.root = root.rstrip("/")
        self._files = files_of(root)

    def outputs(self) -> Iterator[OutputFolder]:
        """The outputs of all executions."""
        for node in self._nodes():
            for output in self._files.names(f"{self.root}/{node}"):
                if output == _SYSTEM:
                    continue
                for name in self._files.names(f"{self.root}/{node}/{output}"):
                    if name.isdecimal():
                        path = f"{self.root}/{node}/{output}/{name}"
                        yield OutputFolder(node, output, int(name), path)

    def beside(self, name: str) -> list[str]:
        """Folders in the quarantine, or of checkpoints."""
        folder = f"{self.root}/{name}"
        return [f"{folder}/{found}" for found in sorted(self._files.names(folder))]

    def system(self) -> Iterator[str]:
        """What TFX keeps of each execution for itself; on object stores it keeps nothing."""
        if is_remote(self.root):
            return
        for node in self._nodes():
            for kind in self._files.names(f"{self.root}/{node}/{_SYSTEM}"):
                for name in self._files.names(f"{self.root}/{node}/{_SYSTEM}/{kind}"):
                    yield f"{self.root}/{node}/{_SYSTEM}/{kind}/{name}"

    def _nodes(self) -> list[str]:
        other = (QUARANTINE, CHECKPOINTS, COMPILED, _TRASH)
        return sorted(name for name in self._files.names(self.root) if name not in other)

    def size(self, path: str) -> int:
        """Bytes below a folder; 0 where there is none."""
        try:
            return sum(self._files.sizes(path).values())
        except FileNotFoundError:
            return 0

    def modified(self, path: str) -> float:
        """When something below a folder was changed last, in seconds since 1970."""
        if is_remote(path):
            import tensorflow as tf

            files = [f"{path}/{name}" for name in self._files.sizes(path)]
            return max((tf.io.gfile.stat(file).mtime_nsec / 1e9 for file in files), default=0.0)
        files = [os.path.join(place, name) for place, _, names in os.walk(path) for name in names]
        return max((os.path.getmtime(file) for file in [path, *files]), default=0.0)

    def within(self, path: str, but: str) -> list[str]:
        """Folders right within a folder, but for one of this name."""
        return [f"{path}/{name}" for name in sorted(self._files.names(path)) if name != but]

    def remove(self, path: str) -> None:
        """Removes a folder; nothing happens where there is none.

        Raises:
            OSError: it cannot be removed; the next call of `empty_trash` does it.
        """
        if is_remote(path):
            self._files.remove(path)
            return
        trash = os.path.join(self.root, _TRASH)
        os.makedirs(trash, exist_ok=True)
        away = os.path.join(trash, uuid.uuid4().hex)
        try:
            os.rename(path, away)
        except FileNotFoundError:
            return
        shutil.rmtree(away)

    def empty_trash(self) -> None:
        """Removes what a killed cleaning had taken out of sight."""
        self._files.remove(f"{self.root}/{_TRASH}")
