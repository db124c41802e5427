"""Runs TFDV over whole batches of examples on Beam."""

import os
from typing import Any

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components.statistics_gen import executor as stock
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import json_utils

from components.example_batches import ReadExamples, contract_columns, split_files
from transform.data_contract import DataContract

#: Rows per batch: large enough for TFDV's vectorised parts, small enough to be sampled.
_BATCH_ROWS = 8192


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
            exec_properties: ``sample_rate``, ``data_contract``.

        Raises:
            ValueError: a split has no files.
        """
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        splits = artifact_utils.decode_split_names(examples.split_names)
        statistics.split_names = artifact_utils.encode_split_names(splits)
        statistics.span = examples.span
        columns = contract_columns(DataContract.from_json(exec_properties["data_contract"]))
        rate = exec_properties["sample_rate"]
        statistics.set_json_value_custom_property(
            stock.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME,
            json_utils.dumps(dict.fromkeys(splits, rate)),
        )
        options = tfdv.StatsOptions(
            sample_rate=rate if rate < 1.0 else None,
            # Exact up to 16,384 distinct values; the exact way shuffles every single value.
            experimental_use_sketch_based_topk_uniques=True,
            desired_batch_size=_BATCH_ROWS,
        )
        with self._make_beam_pipeline() as pipeline:
            for split in splits:
                files = split_files([artifact_utils.get_split_uri([examples], split)], split)
                path = os.path.join(
                    artifact_utils.get_split_uri([statistics], split),
                    stock.DEFAULT_FILE_NAME,
                )
                _ = (
                    pipeline
                    | f"Read[{split}]" >> ReadExamples(files, columns, _BATCH_ROWS)
                    | f"Describe[{split}]" >> tfdv.GenerateStatistics(options)
                    | f"Write[{split}]" >> tfdv.WriteStatisticsToBinaryFile(path)
                )
