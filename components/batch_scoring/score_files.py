"""Scores files from their first line to the account of all of them."""

import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import tensorflow as tf
from tfx.utils import dependency_utils

from mtlx.components.batch_scoring.batch_scoring import BatchScoring
from mtlx.components.batch_scoring.chosen_model import ChosenModel
from mtlx.components.batch_scoring.score_columns import check_carried
from mtlx.components.batch_scoring.score_output import (
    QUARANTINE,
    SUMMARY_FILE,
    UNFINISHED,
    check_output,
)
from mtlx.components.batch_scoring.score_shard import SCORED, ScoreShard
from mtlx.components.batch_scoring.scoring_model import ScoringModel
from mtlx.components.batch_scoring.scoring_summary import ScoringSummary, write_scoring_summary
from mtlx.components.log_example_gen.quarantine import check_malformed, total_of
from mtlx.components.log_example_gen.readers.reader import Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.transform.contract.data_contract import DataContract

_SHARDS, _SCORES = "shards.jsonl", "scores-*.parquet"

#: Files that are looked into before anything is scored, evenly spread; workers look into all.
_LOOKED_AT = 20


@dataclass(frozen=True)
class ScoringJob:
    """What is scored, by what, and where the scores go.

    Attributes:
        model: that scores.
        data: reader, its options, and the share of malformed rows that is let pass.
        contract: of the experiment, for a model without a contract of its own.
        patterns: of the logs, as they were asked for.
        files: the logs behind them, in order.
        columns: of the logs that are carried along.
        with_features: whether the columns that the model reads are carried along, too.
        output: folder of the scores, a path or URI.
        beam_pipeline_args: as in the experiment's `run` section.
    """

    model: ChosenModel
    data: DataSettings
    contract: DataContract
    patterns: tuple[str, ...]
    files: tuple[str, ...]
    columns: tuple[str, ...]
    output: str
    beam_pipeline_args: tuple[str, ...] = ()
    with_features: bool = False


def score_files(job: ScoringJob) -> ScoringSummary:
    """Scores all rows of all files.

    Writes ``scores-….parquet`` per shard, each whole or not at all; ``_quarantine/`` with the
    malformed rows; and, when all is done, ``_summary.json``. Where scoring is refused, or stopped,
    no scores stay.

    Raises:
        ScoringRefused: the output folder is not empty; the model cannot be used.
        InputRefused: a file cannot be read or lacks a column, or too many rows are malformed.
    """
    started = time.monotonic()
    check_output(job.output)
    model = ScoringModel(job.model.path, job.contract)
    read = list(dict.fromkeys(map(model.contract.column, model.contract.features)))
    carried = [*job.columns, *(c for c in read if job.with_features and c not in job.columns)]
    check_carried(carried, model.tasks)
    work = ScoreShard(job.data.reader, job.data.options, model, carried, job.output)
    shards = work.reader().shards(list(job.files))
    _check_columns(work, shards, model)
    # What a refused scoring left says nothing of this one.
    _remove(job.output, QUARANTINE)
    _remove_files(job.output, SUMMARY_FILE)
    summary: ScoringSummary | None = None
    try:
        summary = _scored(job, work, shards, model.tasks, started)
    finally:
        if summary is None:
            remove_unfinished(job.output)
    _remove(job.output, UNFINISHED)
    if summary["refused"] is not None:
        _remove_files(job.output, _SCORES)
    summary["seconds"] = time.monotonic() - started
    summary["rows_per_second"] = summary["rows"] / summary["seconds"]
    write_scoring_summary(job.output, summary)
    if summary["refused"]:
        raise InputRefused(summary["refused"])
    return summary


def remove_unfinished(output: str) -> None:
    """Removes all that a scoring wrote that came to no end, so that the next one may begin.

    Args:
        output: folder of the scores; one that is whole stays.
    """
    if tf.io.gfile.exists(os.path.join(output, SUMMARY_FILE)):
        return
    _remove(output, UNFINISHED)
    _remove_files(output, _SCORES)
    _remove(output, QUARANTINE)


def _check_columns(work: ScoreShard, shards: list[Shard], model: ScoringModel) -> None:
    """Looks for the columns in the beginning of some files, before anything is scored."""
    firsts = list({shard.files[0]: shard for shard in reversed(shards)}.values())[::-1]
    count = min(len(firsts), _LOOKED_AT)
    for index in range(count):
        shard = firsts[index * (len(firsts) - 1) // max(count - 1, 1)]
        try:
            next(iter(work.reader().read(shard, work.columns)), None)
        except InputRefused as error:
            names = ", ".join(model.contract.column(name) for name in model.contract.features)
            raise InputRefused(f"{error}. The model in {model.path} reads {names}") from error


def _scored(
    job: ScoringJob, work: ScoreShard, shards: list[Shard], tasks: Sequence[str], started: float
) -> ScoringSummary:
    """Runs the workers, and adds up what became of their shards."""
    path = os.path.join(job.output, UNFINISHED, _SHARDS)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with beam.Pipeline(argv=_arguments(job.beam_pipeline_args)) as pipeline:
        (
            pipeline
            | BatchScoring(work, shards)
            | "Summaries" >> beam.io.WriteToText(path, shard_name_template="")
        )
    total, undefined = total_of(path), Counter[str]()
    with tf.io.gfile.GFile(path) as file:
        for line in file:
            undefined.update(json.loads(line)["undefined"])
    refused = total.refused
    if refused is None:
        try:
            check_malformed(total, job.data.max_malformed_share)
            if not total.rows[SCORED]:
                raise InputRefused(f"no rows in {', '.join(job.patterns)}")
        except InputRefused as error:
            refused = str(error)
    return {
        "model": job.model.path,
        "version": job.model.version,
        "tasks": list(tasks),
        "input": list(job.patterns),
        "files": len(job.files),
        "lines": dict(total.lines),
        "rows": total.rows[SCORED],
        "malformed": dict(total.malformed),
        "max_malformed_share": job.data.max_malformed_share,
        "quarantine": total.quarantine,
        "undefined": {task: undefined[task] for task in tasks},
        "refused": refused,
        "seconds": 0.0,
        "rows_per_second": 0.0,
    }


def _arguments(given: Sequence[str]) -> list[str]:
    """Arguments of the pipeline; with any, workers elsewhere need our packages, as in a run."""
    return list(dependency_utils.make_beam_dependency_flags(list(given))) if given else []


def _remove(folder: str, name: str) -> None:
    path = os.path.join(folder, name)
    if tf.io.gfile.exists(path):
        tf.io.gfile.rmtree(path)


def _remove_files(folder: str, pattern: str) -> None:
    for path in tf.io.gfile.glob(os.path.join(folder, pattern)):
        tf.io.gfile.remove(path)
