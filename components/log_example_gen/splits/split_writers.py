"""Writes a shard's examples, one gzip TFRecord file per split."""

import contextlib
import os

import pyarrow as pa

from mtlx.components.example_writer import ExampleWriter


class SplitWriters(contextlib.ExitStack):
    """One file per split that has rows, in its folder only when it is whole.

    Args:
        uri: of the examples.
        unfinished: folder of files that are being written.
        name: of the file in each split's folder.
    """

    def __init__(self, uri: str, unfinished: str, name: str) -> None:
        super().__init__()
        self._uri, self._unfinished, self._name = uri, unfinished, name
        self._writers: dict[str, ExampleWriter] = {}

    def write(self, split: str, batch: pa.RecordBatch) -> None:
        """Appends a batch of examples."""
        if batch.num_rows == 0:
            return
        if split not in self._writers:
            path = os.path.join(split_folder(self._uri, split), self._name)
            self._writers[split] = self.enter_context(ExampleWriter(path, self._unfinished))
        self._writers[split].write(batch)


def split_folder(uri: str, split: str) -> str:
    """Folder of a split."""
    return os.path.join(uri, f"Split-{split}")
