"""Raw examples of a split as large Arrow batches."""

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.tfxio import dataset_options, tf_example_record

from components.slice_evaluation.slices import SliceCross
from transform.data_contract import DataContract

#: Files are read in at most so many groups at a time; a group fills batches across its files.
_FILE_GROUPS = 64


def evaluation_schema(
    contract: DataContract, crosses: list[SliceCross], user_key: str | None
) -> schema_pb2.Schema:
    """Schema of the columns that the evaluation itself reads; the models parse their own."""
    schema = schema_pb2.Schema()
    features = {feature for cross in crosses for feature in cross.features}
    for feature in sorted(features | ({user_key} if user_key else set())):
        schema.feature.add(name=feature, type=schema_pb2.BYTES)
    for task in contract.task_specs:
        schema.feature.add(name=task.label, type=schema_pb2.INT)
    return schema


class ReadExamples(beam.PTransform):
    """Files of gzipped or plain TFRecords to `pyarrow.RecordBatch` of `batch_size` rows.

    The batches are those of tfxio: the columns of `schema`, and the serialised examples in
    `tfma.constants.ARROW_INPUT_COLUMN`. tfxio's Beam source reads record by record in Python;
    its data set reads and decodes whole batches.

    Args:
        files: paths.
        schema: columns to decode.
        batch_size: rows.
    """

    def __init__(self, files: list[str], schema: schema_pb2.Schema, batch_size: int):
        super().__init__()
        self._groups = [
            files[start::_FILE_GROUPS] for start in range(min(_FILE_GROUPS, len(files)))
        ]
        self._schema = schema.SerializeToString()
        self._batch_size = batch_size

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        """See the class."""
        return (
            root
            | "Files" >> beam.Create(self._groups, reshuffle=True)
            | "ReadBatches" >> beam.FlatMap(_read, self._schema, self._batch_size)
        )


def _read(files: list[str], schema: bytes, batch_size: int) -> Iterator[pa.RecordBatch]:
    source = tf_example_record.TFExampleRecord(
        files,
        schema=schema_pb2.Schema.FromString(schema),
        raw_record_column_name=tfma.constants.ARROW_INPUT_COLUMN,
        telemetry_descriptors=["SliceEvaluation"],
    )
    options = dataset_options.RecordBatchesOptions(
        batch_size, drop_final_batch=False, num_epochs=1, shuffle=False
    )
    yield from source.RecordBatches(options)


def split_files(uris: list[str], split: str) -> list[str]:
    """Lists the files of a split's folders.

    Raises:
        ValueError: there is none.
    """
    files = sorted(
        path
        for uri in uris
        for path in tf.io.gfile.glob(f"{uri}/*")
        if not path.rsplit("/", 1)[-1].startswith((".", "_"))
    )
    if not files:
        raise ValueError(
            f"split {split!r} has no files in {uris}: nothing can be evaluated; check the "
            "split's share in the data settings"
        )
    return files
