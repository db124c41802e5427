"""Runs the inference of `SpanSchemaGen`."""

import json
import os
from typing import Any

from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.schema_gen.executor import DEFAULT_FILE_NAME
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from mtlx.components.span_schema_gen.inferred_schema import InferredSchema
from mtlx.transform.contract.contract_property import contract_of

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_executor.BaseExecutor):
    """Writes ``schema.pbtxt``; see `SpanSchemaGen`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Infers.

        Args:
            input_dict: ``statistics`` and, where there is one, ``base_schema``.
            output_dict: ``schema``.
            exec_properties: ``data_contract``, ``split``, ``tolerance``, ``open_features``.
        """
        base = None
        if input_dict.get("base_schema"):
            base = read_schema(artifact_utils.get_single_uri(input_dict["base_schema"]))
        inferred = InferredSchema(
            contract_of(exec_properties),
            exec_properties["tolerance"],
            json.loads(exec_properties["open_features"]),
            base,
        )
        for artifact in input_dict["statistics"]:
            found = stats_artifact_utils.load_statistics(artifact, exec_properties["split"])
            inferred.add(found.proto())
        path = _path(artifact_utils.get_single_uri(output_dict["schema"]))
        io_utils.write_pbtxt_file(path, inferred.schema())
        begun = "begun with the schema of the model blessed last" if base else "begun anew"
        logging.info("Schema of %d statistics, %s: %s", len(input_dict["statistics"]), begun, path)


def read_schema(uri: str) -> schema_pb2.Schema:
    """Reads the file of a Schema artifact."""
    return io_utils.parse_pbtxt_file(_path(uri), schema_pb2.Schema())


def _path(uri: str) -> str:
    return os.path.join(uri, DEFAULT_FILE_NAME)
