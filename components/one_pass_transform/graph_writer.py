"""Writes the transform graph of an analysis that is done."""

import functools
import json
import os

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform import impl_helper
from tensorflow_transform.tf_metadata import metadata_io, schema_utils

from mtlx.transform.analysis.analysis import vocabulary_name, vocabulary_requests
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.preprocessing import preprocess


def write_graph(
    schema: schema_pb2.Schema, contract: DataContract, analysis: str, folder: str
) -> None:
    """Writes a folder that `tft.TFTransformOutput` reads.

    Nothing is left to be analysed, so TFT reads no rows and needs no Beam: as TFX's Transform does
    it for a function without analyzers, which traces half as often as `AnalyzeDataset`.

    Args:
        schema: of the raw examples.
        contract: the data contract.
        analysis: folder of `mtlx.components.one_pass_transform.one_pass_analysis`.
        folder: the transform graph's.
    """
    features = schema_utils.schema_as_feature_spec(schema).feature_spec
    impl_helper.analyze_in_place(
        functools.partial(preprocess, contract=contract, analysis_folder=analysis),
        False,  # Not as TensorFlow 1 traces.
        features,
        {name: _type(spec) for name, spec in features.items()},
        folder,
    )
    raw = os.path.join(folder, tft.TFTransformOutput.RAW_METADATA_DIR)
    metadata_io.write_metadata(tft.DatasetMetadata(schema), raw)
    _write_assets(contract, folder)


def _write_assets(contract: DataContract, folder: str) -> None:
    """Notes the vocabularies' files, which TFT would else look for under names without ``.-``."""
    names = [vocabulary_name(feature) for feature in vocabulary_requests(contract)]
    output = tft.TFTransformOutput
    path = os.path.join(folder, output.TRANSFORMED_METADATA_DIR, output.ASSET_MAP)
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps({name: name for name in names}))


def _type(spec: tf.io.FixedLenFeature | tf.io.VarLenFeature) -> tf.TypeSpec:
    """Of a batch of a feature."""
    if isinstance(spec, tf.io.VarLenFeature):
        return tf.SparseTensorSpec([None, None], spec.dtype)
    return tf.TensorSpec([None, *spec.shape], spec.dtype)
