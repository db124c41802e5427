"""Runs the analysis, the graph and the transform of `OnePassTransform` on Beam."""

import os
from typing import Any

import apache_beam as beam
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils

from mtlx.components.example_batches import split_files
from mtlx.components.lineage.labels_left_out import LABELS_PROPERTY, LabelUse
from mtlx.components.log_example_gen.spans.span_artifact import by_span, span_of
from mtlx.components.one_pass_transform.base_numbers import keep_base_numbers
from mtlx.components.one_pass_transform.base_vocabularies import checked_base
from mtlx.components.one_pass_transform.example_transformer import transform_file
from mtlx.components.one_pass_transform.graph_writer import write_graph
from mtlx.components.one_pass_transform.one_pass_analysis import AnalyzeFiles
from mtlx.components.one_pass_transform.row_use import RowUse
from mtlx.components.side_by_side import SideBySide
from mtlx.transform.analysis.finished_analysis import keep_numbers
from mtlx.transform.contract.contract_property import contract_of
from mtlx.transform.contract.counted_labels import LeftOut
from mtlx.transform.contract.data_contract import DataContract

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the transform graph and the transformed examples."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Analyses the splits to analyse, then transforms the splits to transform.

        Args:
            input_dict: ``examples``, ``schema`` and, where its numbers are kept, ``base_model``.
            output_dict: ``transform_graph`` and ``transformed_examples``.
            exec_properties: see `OnePassTransform`.

        Raises:
            ValueError: a split has no files, the schema lacks features of the contract, or the
                base model can't be used.
        """
        contract = contract_of(exec_properties)
        schema_uri = artifact_utils.get_single_uri(input_dict["schema"])
        schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_uri))
        graph = artifact_utils.get_single_uri(output_dict["transform_graph"])
        analysis = os.path.join(self._get_tmp_dir(), "analysis")
        splits = exec_properties["analyze_splits"].split(",")
        files = [file for split in splits for file in _files(input_dict["examples"], split)]
        grow = exec_properties.get("grow_vocabularies") and input_dict.get("base_model")
        base = checked_base(input_dict["base_model"][0].uri) if grow else None
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(files, reshuffle=True)
                | "Analyze" >> AnalyzeFiles(contract, schema, analysis, base)
            )
        if "base_model" in input_dict:
            otherwise = exec_properties["without_base_model"]
            keep_base_numbers(input_dict["base_model"], otherwise, contract, analysis)
        write_graph(schema, contract, analysis, graph)
        keep_numbers(analysis, graph)
        splits = exec_properties["transform_splits"].split(",")
        left_out = _left_out(input_dict, exec_properties, contract)
        uses = _uses(input_dict["examples"], splits, contract)
        self._transform(input_dict, output_dict, splits, graph, left_out, uses)
        if exec_properties.get(LABELS_PROPERTY):
            (made,) = output_dict["transformed_examples"]
            made.set_string_custom_property(LABELS_PROPERTY, exec_properties[LABELS_PROPERTY])

    def _transform(
        self,
        input_dict: Artifacts,
        output_dict: Artifacts,
        splits: list[str],
        graph: str,
        left_out: dict[str, dict[str, LeftOut]],
        uses: dict[str, RowUse],
    ) -> None:
        examples = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        examples.split_names = artifact_utils.encode_split_names(splits)
        unfinished = os.path.join(examples.uri, "unfinished")
        examples.set_string_custom_property(
            utils.PAYLOAD_FORMAT_PROPERTY_NAME,
            example_gen_pb2.PayloadFormat.Name(example_gen_pb2.FORMAT_TF_EXAMPLE),
        )
        paths = [
            path
            for split in splits
            for path in _target_paths(
                _files(input_dict["examples"], split),
                artifact_utils.get_split_uri([examples], split),
            )
        ]
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(paths, reshuffle=True)
                | "TransformFiles"
                >> beam.ParDo(SideBySide(transform_file, graph, unfinished, left_out, uses))
            )
        tf.io.gfile.rmtree(unfinished)
        logging.info("Transformed %d files of splits %s", len(paths), ", ".join(splits))


def _files(examples: list[types.Artifact], split: str) -> list[str]:
    return split_files(artifact_utils.get_split_uris(by_span(examples), split), split)


def _left_out(
    input_dict: Artifacts, exec_properties: dict[str, Any], contract: DataContract
) -> dict[str, dict[str, LeftOut]]:
    """By file and label column why a label does not count; files of which all do are not there."""
    left_out = LabelUse.of_text(exec_properties.get(LABELS_PROPERTY)).left_out
    splits = exec_properties["transform_splits"].split(",")
    found: dict[str, dict[str, LeftOut]] = {}
    for artifact in input_dict["examples"]:
        tasks = left_out.get(span_of(artifact) or 0, {})
        if tasks:
            columns = {contract.tasks[task].label_key: why for task, why in tasks.items()}
            for split in splits:
                found |= dict.fromkeys(_files([artifact], split), columns)
    return found


def _uses(
    examples: list[types.Artifact], splits: list[str], contract: DataContract
) -> dict[str, RowUse]:
    """By file what becomes of its rows; empty where nothing becomes of any."""
    if not contract.weighs_rows:
        return {}
    newest = max(span_of(artifact) or 0 for artifact in examples)
    found: dict[str, RowUse] = {}
    for artifact in examples:
        for split in splits:
            use = RowUse.of(contract, split, span_of(artifact) or 0, newest)
            if use.sampling is not None or use.decay != 1.0:
                found |= dict.fromkeys(_files([artifact], split), use)
    return found


def _target_paths(sources: list[str], folder: str) -> list[tuple[str, str]]:
    """A target per source, numbered as the stock component numbers its shards."""
    count = len(sources)
    return [
        (source, os.path.join(folder, f"transformed_examples-{index:05d}-of-{count:05d}.gz"))
        for index, source in enumerate(sources)
    ]
