"""Examples of a split as large Arrow batches.

Beam's TFRecord source handles record after record in Python, and tfx_bsl decodes every feature
of an example, in one thread. TensorFlow reads whole batches, parses only what is asked for, in
parallel, and does so six times faster.
"""

import functools
import threading
from collections.abc import Iterator, Mapping

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract

#: Files are read in at most so many groups at a time; a group fills batches across its files.
_FILE_GROUPS = 64

#: Files are read side by side; what the first one traces serves all.
_TRACING = threading.Lock()

_ARROW_TYPES = {tf.string: pa.large_binary(), tf.int64: pa.int64(), tf.float32: pa.float32()}


class ReadExamples(beam.PTransform):
    """Files of TFRecords to `pyarrow.RecordBatch` of `batch_size` rows.

    Every column is a list column, as tfx_bsl decodes it: null where the example has no value.

    Args:
        files: paths; gzipped ones end in ``.gz``.
        columns: names of the features to read, with their types: string, int64 or float32.
        batch_size: rows.
        raw_column: name of a column that holds the serialised examples; None for no such column.
    """

    def __init__(
        self,
        files: list[str],
        columns: Mapping[str, tf.DType],
        batch_size: int,
        raw_column: str | None = None,
    ):
        super().__init__()
        self._groups = file_groups(files)
        self._columns = {name: dtype.name for name, dtype in columns.items()}
        self._batch_size, self._raw_column = batch_size, raw_column

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        """Reads the files, spread over the workers, into batches."""
        return (
            root
            | "Files" >> beam.Create(self._groups, reshuffle=True)
            | "ReadBatches"
            >> beam.FlatMap(read_batches, self._columns, self._batch_size, self._raw_column)
        )


def file_groups(files: list[str]) -> list[list[str]]:
    """The files dealt out to the groups that are read at the same time."""
    return [files[start::_FILE_GROUPS] for start in range(min(_FILE_GROUPS, len(files)))]


def read_batches(
    files: list[str],
    columns: dict[str, str],
    batch_size: int,
    raw_column: str | None = None,
    sample_rate: float = 1.0,
) -> Iterator[pa.RecordBatch]:
    """Reads files here, in batches that span them.

    Args:
        files: see `ReadExamples`.
        columns: see `ReadExamples`; the types by their names.
        batch_size: rows that are read at once.
        raw_column: see `ReadExamples`.
        sample_rate: share of the rows that is drawn, the same ones in every run.
    """
    for index, serialized in enumerate(serialized_batches(files, batch_size)):
        if sample_rate < 1.0:
            drawn = np.random.default_rng(index).random(len(serialized)) < sample_rate
            serialized = tf.boolean_mask(serialized, drawn)
        arrays = _parsed(serialized, columns)
        if raw_column:
            raw = serialized.numpy()
            arrays[raw_column] = _lists(raw, np.arange(len(raw) + 1), pa.large_binary())
        yield pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def parsed_batch(serialized: list[bytes], columns: dict[str, str]) -> pa.RecordBatch:
    """Serialised examples as `read_batches` gives those of files."""
    arrays = _parsed(tf.constant(serialized, tf.string), columns)
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def _parsed(serialized: tf.Tensor, columns: dict[str, str]) -> dict[str, pa.Array]:
    with _TRACING:
        parser = _parser(tuple(columns.items()))
    parsed = parser(serialized)
    kinds = {name: _ARROW_TYPES[tf.as_dtype(dtype)] for name, dtype in columns.items()}
    return {
        name: _lists(parsed[name][0].numpy(), parsed[name][1].numpy(), kind)
        for name, kind in kinds.items()
    }


@functools.lru_cache(maxsize=4)
def _parser(columns: tuple[tuple[str, str], ...]) -> tf.types.experimental.ConcreteFunction:
    """Serialised examples to values and row splits by name; traced once per process."""
    spec = {
        name: tf.io.RaggedFeature(tf.as_dtype(dtype), row_splits_dtype=tf.int64)
        for name, dtype in columns
    }

    def parse(serialized: tf.Tensor) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        parsed = tf.io.parse_example(serialized, spec) if spec else {}
        return {name: (x.values, x.row_splits) for name, x in parsed.items()}

    function = tf.function(parse, autograph=False)
    return function.get_concrete_function(tf.TensorSpec([None], tf.string))


def serialized_batches(files: list[str], batch_size: int) -> tf.data.Dataset:
    """The records of the files in order, ``(batch_size,)`` strings; the last batch is shorter."""
    zipped = [file for file in files if file.endswith(".gz")]
    plain = [file for file in files if not file.endswith(".gz")]
    records = tf.data.TFRecordDataset(zipped, "GZIP", buffer_size=1 << 20)
    if plain:
        records = records.concatenate(tf.data.TFRecordDataset(plain, buffer_size=1 << 20))
    return records.batch(batch_size).prefetch(2)


def contract_columns(contract: DataContract) -> dict[str, tf.DType]:
    """The columns that LogExampleGen writes, with their types."""
    columns = {
        name: tf.float32 if feature.holds == "number" else tf.string
        for name, feature in contract.features.items()
    }
    return columns | label_columns(contract)


def label_columns(contract: DataContract) -> dict[str, tf.DType]:
    """The columns of these that hold labels and weights."""
    labels = {
        task.label_key: tf.float32 if task.is_regression else tf.int64
        for task in contract.tasks.values()
    }
    return labels | dict.fromkeys(contract.weight_columns, tf.float32)


def split_files(uris: list[str], split: str) -> list[str]:
    """Lists the files of a split's folders, folder by folder.

    Raises:
        ValueError: there is none.
    """
    files = [
        path
        for uri in uris
        for path in sorted(tf.io.gfile.glob(f"{uri}/*"))
        if not path.rsplit("/", 1)[-1].startswith((".", "_"))
    ]
    if not files:
        raise ValueError(
            f"split {split!r} has no files in {uris}: check the split's share in the data settings"
        )
    return files


def _lists(values: np.ndarray, row_splits: np.ndarray, kind: pa.DataType) -> pa.Array:
    """A list column from values and the places where rows end; a row without values is null."""
    empty = row_splits[1:] == row_splits[:-1]
    offsets = pa.array(row_splits, pa.int64(), mask=np.append(empty, False))
    return pa.LargeListArray.from_arrays(offsets, pa.array(values, kind))
