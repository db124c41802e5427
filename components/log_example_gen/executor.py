"""Executor of LogExampleGen: shards → checked, split and encoded tf.Examples."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from mtlx.components.log_example_gen.ingestion_summary import (
    IngestionSummary,
    ingestion_folder,
    write_ingestion_summary,
)
from mtlx.components.log_example_gen.joins.joins import Joins
from mtlx.components.log_example_gen.provenance import provenance, source
from mtlx.components.log_example_gen.quarantine import Quarantine, check_malformed, total_of
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import matching_files
from mtlx.components.log_example_gen.readers.reader import Reader, Shard
from mtlx.components.log_example_gen.rejection import InputRefused, NoRows, Rejection
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.shard_summary import ShardSummary
from mtlx.components.log_example_gen.spans.span_artifact import (
    SETTINGS_PROPERTY,
    settings_digest,
)
from mtlx.components.log_example_gen.spans.window_settings import SpanSplit
from mtlx.components.log_example_gen.splits import splitter
from mtlx.components.log_example_gen.splits.split_writers import SplitWriters
from mtlx.components.side_by_side import SideBySide
from mtlx.transform.contract.contract_property import contract_of
from mtlx.transform.contract.data_contract import DataContract

#: Files that a message names.
_NAMED_FILES = 5


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes ``Split-*/*.gz`` and ``ingestion/summary.json`` into the examples' folder."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads the logs.

        Raises:
            InputRefused: the input contradicts the contract, or too many rows are malformed.
        """
        del input_dict
        started = time.monotonic()
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        data = DataSettings.from_json(exec_properties["data"])
        quarantine = os.path.join(
            exec_properties["quarantine_dir"], os.path.basename(examples.uri.rstrip("/"))
        )
        contract = contract_of(exec_properties)
        work = _ShardWork(data, contract, examples.uri, quarantine)
        shards = work.reader().shards(_input_files(exec_properties))
        with self._make_beam_pipeline() as pipeline:
            indexed = pipeline | "Shards" >> beam.Create(list(enumerate(shards)), reshuffle=True)
            starts = None
            if splitter.needs_positions(data.split):
                counts = indexed | "Count" >> beam.ParDo(SideBySide(work.count))
                starts = beam.pvalue.AsDict(counts)
            (
                indexed
                | "Write" >> beam.ParDo(SideBySide(work.write, len(shards)), starts)
                | "Encode" >> beam.Map(lambda summary: json.dumps(vars(summary)))
                | "Summaries" >> beam.io.WriteToText(work.summaries, shard_name_template="")
            )
        summary = total_of(work.summaries)
        try:
            _judge(summary, data)
        except InputRefused as error:
            # The examples' folder goes with the failed run.
            account = _account(summary, data, time.monotonic() - started, refused=str(error))
            write_ingestion_summary(quarantine, account)
            raise
        splits = splitter.written_splits(data.split)
        examples.split_names = artifact_utils.encode_split_names(list(splits))
        if isinstance(data.split, SpanSplit):
            examples.span = exec_properties["span"]  # StatisticsGen hands it on.
        examples.set_string_custom_property(SETTINGS_PROPERTY, settings_digest(exec_properties))
        examples.set_string_custom_property(
            utils.PAYLOAD_FORMAT_PROPERTY_NAME,
            example_gen_pb2.PayloadFormat.Name(example_gen_pb2.FORMAT_TF_EXAMPLE),
        )
        seen = provenance(data, exec_properties.get("span"), summary.sources, summary.times)
        account = _account(summary, data, time.monotonic() - started, seen=seen)
        write_ingestion_summary(ingestion_folder(examples.uri), account)
        tf.io.gfile.remove(work.summaries)
        if tf.io.gfile.exists(work.unfinished):
            tf.io.gfile.rmtree(work.unfinished)
        written = ", ".join(f"{name} {summary.rows[name]:,}" for name in splits)
        logging.info(
            "rows: %s; malformed: %d; filtered: %d",
            *(written, summary.malformed.total(), summary.filtered),
        )


class _ShardWork:
    """What a worker does with a shard; pickled to the workers."""

    def __init__(
        self, data: DataSettings, contract: DataContract, uri: str, quarantine: str
    ) -> None:
        self._data, self._contract = data, contract
        self._uri, self._quarantine = uri, quarantine

    @property
    def summaries(self) -> str:
        """File that collects the shards' summaries while the pipeline runs."""
        return os.path.join(ingestion_folder(self._uri), "shards.jsonl")

    @property
    def unfinished(self) -> str:
        """Folder of the files that are still being written; no reader of splits looks there."""
        return os.path.join(ingestion_folder(self._uri), "unfinished")

    def reader(self) -> Reader:
        """The reader of the settings."""
        return READERS.build(self._data.reader, self._data.options)

    def count(self, item: tuple[int, Shard]) -> tuple[int, int]:
        """Its number, and rows that can be taken apart, whether or not they pass the checks."""
        index, shard = item
        checks = RowChecks(self._contract)
        columns = Joins(self._data.join, checks.columns()[:1]).columns
        try:
            rows = self.reader().read(shard, columns)
            return index, sum(batch.columns.num_rows for batch in rows)
        except InputRefused:
            return index, 0  # The pass that writes reports it.

    def write(
        self, item: tuple[int, Shard], shards: int, counts: dict[int, int] | None = None
    ) -> ShardSummary:
        """Writes one shard's examples, a file per split, and its rejected rows."""
        index, shard = item
        counts = counts or {}
        start = sum(count for other, count in counts.items() if other < index)
        summary = ShardSummary()
        name = f"{index:05d}-of-{shards:05d}"
        quarantine = Quarantine(self._quarantine, f"rejected-{name}.jsonl", summary)
        with quarantine, SplitWriters(self._uri, self.unfinished, f"data-{name}.gz") as writers:
            try:
                batches = self._batches(shard, start, sum(counts.values()), summary)
                for batch, assigned, malformed, filtered in batches:
                    quarantine.write(malformed)
                    summary.filtered += filtered
                    summary.times = splitter.merge_times(summary.times, assigned.times)
                    for number, split in enumerate(splitter.SPLITS):
                        chosen = batch.filter(pa.array(assigned.splits == number))
                        writers.write(split, chosen)
                        summary.rows[split] += chosen.num_rows
                if summary.unaccounted():
                    summary.refused = (
                        f"{', '.join(shard.files)}: of {summary.lines['read']} lines "
                        f"{summary.unaccounted()} are unaccounted for; this is a fault of reader "
                        f"{self._data.reader!r}, not of the log"
                    )
            except InputRefused as error:
                summary.refused = str(error)
        if not summary.refused:
            summary.sources = [source(shard.files[0], summary.rows)]
        return summary

    def _batches(
        self, shard: Shard, start: int, total: int, summary: ShardSummary
    ) -> Iterator[tuple[pa.RecordBatch, splitter.Assignment, list[Rejection], int]]:
        """Checked examples of a shard with the split of each, rejected rows, number of filtered
        ones; counts its lines, and keys that tables lack, in `summary`.
        """
        reader = self.reader()
        contract = self._contract
        checks = RowChecks(contract, self._data.missing_label, where=self._data.where)
        split = splitter.with_columns(
            self._data.split,
            lambda name: contract.column(name) if name in contract.features else name,
        )
        joins = Joins(self._data.join, [*checks.columns(), *splitter.split_columns(split)])
        summary.unmatched = joins.unmatched
        file, position = shard.files[0], start
        for read in reader.read(shard, joins.columns):
            summary.lines.update({"read": read.counted, **read.aside})
            rows = joins(read, file)
            checked = checks.check(rows, file)
            positions = np.arange(position, position + len(rows.lines), dtype=np.int64)
            position += len(rows.lines)
            kept = checked.kept
            place = splitter.Place(file, rows.lines[kept], positions[kept], total)
            assigned = splitter.assign(split, rows.columns.filter(pa.array(kept)), place)
            rejected = [*checked.rejected, *assigned.rejected]
            yield checked.examples, assigned, rejected, checked.filtered


def _input_files(exec_properties: dict[str, Any]) -> list[str]:
    """Input files in order, from the patterns that the driver resolved."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties["input_config"], config)
    base = exec_properties["input_base"]
    files: dict[str, None] = {}
    for split in config.splits:
        files.update(dict.fromkeys(matching_files(os.path.join(base, split.pattern))))
    return list(files)


def _judge(summary: ShardSummary, data: DataSettings) -> None:
    """Refuses input that contradicts the contract, is malformed beyond the limit, or empty."""
    if summary.refused:
        raise InputRefused(summary.refused)
    rows = summary.rows.total()
    check_malformed(summary, data.max_malformed_share)
    if rows == 0:
        files = list(dict.fromkeys(source["file"] for source in summary.sources))
        filtered = f" ({summary.filtered:,} do not meet data.where)" if summary.filtered else ""
        raise NoRows(f"no rows in {', '.join(files[:_NAMED_FILES] or data.path)}{filtered}")
    empty = [split for split in splitter.written_splits(data.split) if not summary.rows[split]]
    if empty:
        counts = splitter.described(data.split, summary.rows, summary.times)
        raise InputRefused(
            f"no rows in split {' and '.join(empty)} ({counts}): change data.split (by: "
            f"{data.split.by})"
        )


def _account(
    summary: ShardSummary,
    data: DataSettings,
    seconds: float,
    refused: str | None = None,
    seen: dict[str, Any] | None = None,
) -> IngestionSummary:
    """What is written of it all."""
    return {
        "lines": dict(summary.lines),
        "rows": {split: summary.rows[split] for split in splitter.written_splits(data.split)},
        "malformed": dict(summary.malformed),
        "filtered": summary.filtered,
        "unmatched": dict(summary.unmatched),
        "refused": refused,
        "times": summary.times,
        "quarantine": summary.quarantine,
        "max_malformed_share": data.max_malformed_share,
        "seconds": seconds,
        "provenance": seen,
    }
