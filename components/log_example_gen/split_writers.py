"""Writes a shard's examples, one gzip TFRecord file per split."""

import os
import uuid

import pyarrow as pa
import tensorflow as tf
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.log_example_gen import splitter


class SplitWriters:
    """One TFRecord file per split, in its folder only when it is whole.

    Each attempt at a shard writes files of its own, so that two attempts cannot mix.
    """

    def __init__(self, uri: str, unfinished: str, name: str) -> None:
        self._paths = {
            split: os.path.join(split_folder(uri, split), name) for split in splitter.SPLITS
        }
        attempt = uuid.uuid4().hex
        self._unfinished = {
            split: os.path.join(unfinished, f"{split}-{attempt}-{name}") for split in self._paths
        }
        self._writers: dict[str, tf.io.TFRecordWriter] = {}
        self._encoder = RecordBatchToExamplesEncoder()

    def __enter__(self) -> "SplitWriters":
        return self

    def write(self, split: str, batch: pa.RecordBatch) -> None:
        """Appends a batch of examples."""
        if batch.num_rows == 0:
            return
        if split not in self._writers:
            tf.io.gfile.makedirs(os.path.dirname(self._unfinished[split]))
            # Level 1 packs almost as well as the default and takes a third of the time.
            options = tf.io.TFRecordOptions("GZIP", compression_level=1)
            self._writers[split] = tf.io.TFRecordWriter(self._unfinished[split], options)
        writer = self._writers[split]
        for example in self._encoder.encode(batch):
            writer.write(example)

    def __exit__(self, kind: type[BaseException] | None, *unused: object) -> None:
        for split, writer in self._writers.items():
            writer.close()
            if kind is None:
                path = self._paths[split]
                tf.io.gfile.makedirs(os.path.dirname(path))
                tf.io.gfile.rename(self._unfinished[split], path, overwrite=True)


def split_folder(uri: str, split: str) -> str:
    """Folder of a split."""
    return os.path.join(uri, f"Split-{split}")
