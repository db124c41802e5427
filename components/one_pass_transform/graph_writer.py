"""Writes the transform graph of an analysis that is done."""

import functools
import os

import apache_beam as beam
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.preprocessing import preprocess


def write_graph(
    pipeline: beam.Pipeline,
    schema: schema_pb2.Schema,
    contract: DataContract,
    analysis: str,
    folder: str,
    temporary: str,
) -> None:
    """Adds to a Beam pipeline what writes a folder that `tft.TFTransformOutput` reads.

    Args:
        pipeline: runs it.
        schema: of the raw examples.
        contract: the data contract.
        analysis: folder of `mtlx.components.one_pass_transform.one_pass_analysis`.
        folder: the transform graph's.
        temporary: folder for TFT's temporary files.
    """
    metadata = tft.DatasetMetadata(schema)
    configured = functools.partial(preprocess, contract=contract, analysis_folder=analysis)
    with tft_beam.Context(temp_dir=temporary, force_tf_compat_v1=False):
        # Nothing is left to be analysed, so TFT reads no rows.
        rows = pipeline | "NoRows" >> beam.Create([])
        transform_fn = (rows, metadata) | tft_beam.AnalyzeDataset(configured)
        _ = transform_fn | tft_beam.WriteTransformFn(folder)
        raw = os.path.join(folder, tft.TFTransformOutput.RAW_METADATA_DIR)
        _ = metadata | tft_beam.WriteMetadata(raw, pipeline)
