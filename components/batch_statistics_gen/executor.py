"""Runs TFDV over whole batches of examples on Beam."""

import functools
import os
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from tfx import types
from tfx.components.statistics_gen import executor as stock
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import json_utils

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.batch_statistics_gen.describe_columns import DescribeColumns
from mtlx.components.example_batches import contract_columns, file_groups, read_batches, split_files
from mtlx.components.side_by_side import CombineSideBySide
from mtlx.transform.contract.contract_property import contract_of

#: Rows that TFDV is shown at once.
_BATCH_ROWS = 16_384


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes ``Split-*/FeatureStats.pb``; see `BatchStatisticsGen`."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Computes the statistics of every split.

        Args:
            input_dict: ``examples``.
            output_dict: ``statistics``.
            exec_properties: ``sample_rate``, ``data_contract``, ``count_values``.

        Raises:
            ValueError: a split has no files.
        """
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        splits = artifact_utils.decode_split_names(examples.split_names)
        statistics.split_names = artifact_utils.encode_split_names(splits)
        statistics.span = examples.span
        contract = contract_of(exec_properties)
        columns = contract_columns(contract)
        rate = exec_properties["sample_rate"]
        statistics.set_json_value_custom_property(
            stock.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME,
            json_utils.dumps(dict.fromkeys(splits, rate)),
        )
        groups = [
            (split, group)
            for split in splits
            for group in file_groups(
                split_files([artifact_utils.get_split_uri([examples], split)], split)
            )
        ]
        folders = {split: artifact_utils.get_split_uri([statistics], split) for split in splits}
        names = {name: dtype.name for name, dtype in columns.items()}
        combines: list[beam.CombineFn] = [DescribeColumns()]
        if exec_properties["count_values"]:
            combines.append(CountColumns(contract))
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(groups, reshuffle=True)
                | "Describe"
                >> CombineSideBySide(
                    functools.partial(_read, columns=names, rate=rate),
                    beam.combiners.SingleInputTupleCombineFn(*combines),
                )
                | "Write" >> beam.Map(_write, folders)
            )


def _read(files: list[str], columns: dict[str, str], rate: float) -> Iterator[pa.RecordBatch]:
    return read_batches(files, columns, _BATCH_ROWS, sample_rate=rate)


def _write(
    # Beam's tuple: TFDV's statistics, then `SplitCounts` where they were asked for.
    item: tuple[str, tuple[Any, ...]],
    folders: dict[str, str],
) -> None:
    split, (found, *counts) = item
    tf.io.gfile.makedirs(folders[split])
    with tf.io.gfile.GFile(os.path.join(folders[split], stock.DEFAULT_FILE_NAME), "wb") as file:
        file.write(found.SerializeToString())
    for one in counts:
        one.save(folders[split])
