"""Runs the comparison of `SkewGuard` on Beam."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from mtlx.components.drift_guard.compare import compare
from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.components.drift_guard.drift_result import Comparison
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.spans.span_artifact import by_span, span_of
from mtlx.components.log_example_gen.spans.span_marks import span_words
from mtlx.components.model_pusher.serving_folder.versions import Versions
from mtlx.components.skew_guard.compare_scores import (
    ServedVersion,
    compare_scores,
    with_contracts,
)
from mtlx.components.skew_guard.describe_served import (
    DescribeServed,
    read_counts,
    take_draw,
    write_described,
)
from mtlx.components.skew_guard.driver import logs_of
from mtlx.components.skew_guard.join_rows import join_rows
from mtlx.components.skew_guard.served_rows import ServedCounts, ServedReading
from mtlx.components.skew_guard.served_versions import versions_by_then
from mtlx.components.skew_guard.serving_logs import ServingLogs, lacking_columns, needed_columns
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.skew_guard.skew_notes import (
    NOT_COUNTED,
    column_notes,
    join_notes,
    malformed_words,
    no_rows,
    no_version,
)
from mtlx.components.skew_guard.skew_result import Joined, ScoreSkew, Skew
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.transform.contract.contract_property import contract_of
from mtlx.transform.contract.data_contract import DataContract

Artifacts = dict[str, list[types.Artifact]]
#: Folder within the artifact with the statistics of the serving logs.
_SERVED = "served"


class ServingSkewError(ValueError):
    """What was served differs more than the experiment allows; the message lists what does."""

    def __init__(self, skew: Skew):
        lines = [f"what was served differs in {len(skew.beyond)} places:"]
        lines += [f"  {words}" for words in skew.beyond]
        lines.append(
            "Look into the service. If it is right, raise the thresholds (skew.thresholds, "
            "skew.features, skew.maximum_share), or go on once: --set skew.on_skew=warn"
        )
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class _Work:
    """What one execution compares.

    Attributes:
        settings: of the guard.
        contract: of the run.
        logs: the serving logs.
        examples: that were ingested of the same span.
        statistics: of these.
        properties: of the execution.
        folder: of the serving logs' statistics.
    """

    settings: SkewSettings
    contract: DataContract
    logs: ServingLogs
    examples: types.Artifact
    statistics: types.Artifact
    properties: dict[str, Any]
    folder: str

    @property
    def split(self) -> str:
        """Of the examples, that the serving logs are held against; empty for all."""
        return str(self.properties["split"])

    @property
    def versions_in(self) -> str:
        """Folder of the versions; empty where no scores are compared."""
        return str(self.properties["versions_in"]) if self.settings.scores else ""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes what differs; raises where it is too much and the experiment says so."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Compares.

        Args:
            input_dict: ``examples``, ``statistics``, and those of older spans.
            output_dict: ``skew``.
            exec_properties: see `SkewGuard`.

        Raises:
            InputRefused: serving logs cannot be read, or lack a column that `skew` names.
            ServingSkewError: something differs too much, and `on_skew` is ``stop``.
        """
        settings = SkewSettings.from_json(exec_properties["skew_settings"])
        uri = artifact_utils.get_single_uri(output_dict["skew"])
        logs = logs_of(input_dict, exec_properties)
        notes = (f"Serving skew: {logs.note}",) if logs.note else ()
        skew = Skew(notes=notes)
        if logs.files:
            work = _Work(
                settings,
                contract_of(exec_properties).served,
                logs,
                _of_span(input_dict, "examples", logs.span),
                _of_span(input_dict, "statistics", logs.span),
                exec_properties,
                os.path.join(uri, _SERVED),
            )
            skew = self._skew(work, notes)
        skew.save(uri)
        for line in (*([skew.line] if skew.line else ()), *skew.notes):
            logging.info("%s", line)
        if skew.beyond and settings.on_skew == "stop":
            raise ServingSkewError(skew)

    def _skew(self, work: _Work, notes: tuple[str, ...]) -> Skew:
        """Describes the serving logs, and compares all that was asked for."""
        before = DescribedRows.load([work.statistics], [work.split] if work.split else [])
        if before is None:
            return Skew(notes=(*notes, NOT_COUNTED))
        versions, contracts = _versions(work)
        reading, columns, lacking = _reading(work, contracts)
        self._describe(work, reading)
        counts = read_counts(work.folder)
        if counts.refused:
            raise InputRefused(counts.refused)
        malformed = malformed_words(counts, work.properties["max_malformed_share"])
        if not counts.rows:
            return Skew(malformed=malformed, notes=(*notes, no_rows(work.logs.files, counts)))
        comparison = _comparison(work, before, lacking)
        scores, joined, found = _row_by_row(work, versions, columns, lacking, counts)
        # What else is at work in this process may need the memory.
        ServedModel.forget_all()
        notes = (*notes, *column_notes(work.contract, lacking), *found)
        return Skew(comparison, scores, joined, malformed, notes)

    def _describe(self, work: _Work, reading: ServedReading) -> None:
        shards = reading.build().shards(list(work.logs.files))
        contract = reading.contracts[0].model_copy(update={"tasks": {}})
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards, reshuffle=True)
                | "Read" >> beam.FlatMap(reading.read)
                | "Describe" >> beam.CombineGlobally(DescribeServed(contract, reading.sample_rows))
                | "Write" >> beam.Map(write_described, work.folder)
            )


def _versions(work: _Work) -> tuple[list[ServedVersion], list[DataContract]]:
    """The versions that may have made the scores, and the contracts that rows are read by."""
    if not work.versions_in:
        return [], [work.contract]
    found = versions_by_then(work.versions_in, work.logs.files, work.logs.span)
    return with_contracts(found[-1:] if work.settings.version is None else found, work.contract)


def _comparison(work: _Work, before: DescribedRows, lacking: Sequence[str]) -> Comparison:
    """The features of what was served against those of the logs."""
    served = DescribedRows.of_folder(work.folder)
    if served is None:
        raise RuntimeError(f"{work.folder} has lost its statistics")
    words = _words(work)
    return compare(
        (words[0], served),
        (words[1], before),
        work.contract.model_copy(update={"tasks": {}}),
        work.settings.as_drift(),
        work.properties["kept_apart"],
        lacking,
    )


def _row_by_row(
    work: _Work,
    versions: Sequence[ServedVersion],
    columns: Sequence[str],
    lacking: Sequence[str],
    counts: ServedCounts,
) -> tuple[tuple[ScoreSkew, ...], Joined | None, list[str]]:
    """Scores of the drawn rows, the rows beside the logs' ones, and what is to be said."""
    settings, draw = work.settings, take_draw(work.folder)
    notes: list[str] = []
    if settings.scores and not versions:
        notes.append(no_version(work.versions_in))
    base = work.versions_in
    there = [version.number for version in Versions(base).all] if base else []
    compared = compare_scores(draw, versions, there, columns, counts, settings, work.contract)
    notes += [f"Serving skew: {note}" for note in compared.notes]
    if settings.key is None:
        return compared.scores, None, notes
    joined = join_rows(
        draw, compared.differing, work.examples, work.split, work.contract, lacking, settings
    )
    # A split holds a part of what was served.
    notes += [] if work.split else join_notes(joined.key, joined.drawn, joined.found)
    return compared.scores, joined, notes


def _of_span(input_dict: Artifacts, name: str, span: int | None) -> types.Artifact:
    """The artifact of a span; of no span, the newest."""
    artifacts = by_span([*input_dict.get(f"older_{name}", []), *input_dict[name]])
    if len(artifacts) == 1:  # Without a window statistics do not know of which span they are.
        return artifacts[0]
    return [one for one in artifacts if span is None or span_of(one) == span][-1]


def _reading(
    work: _Work, contracts: Sequence[DataContract]
) -> tuple[ServedReading, list[str], list[str]]:
    """How the logs are read; columns that they lack, and features of the run that stand there."""
    properties, settings = work.properties, work.settings
    reading = ServedReading(
        properties["reader"],
        json.loads(properties["reader_options"]),
        tuple(contracts),
        settings.scores,
        settings.version,
        settings.sample_rows,
        settings.seed,
    )
    reader = reading.build()
    wanted = {contract.column(name) for contract in contracts for name in contract.features}
    columns = lacking_columns(
        reader,
        reader.shards(list(work.logs.files)),
        needed_columns(work.contract, settings),
        sorted(wanted),
    )
    there = [_without(contract, columns) for contract in contracts]
    lacking = [name for name in work.contract.features if name not in there[0].features]
    return replace(reading, contracts=tuple(there)), columns, lacking


def _without(contract: DataContract, columns: Sequence[str]) -> DataContract:
    """A contract of what is there; what stands beside others is read with them, or not at all."""
    features = {
        name: feature
        for name, feature in contract.features.items()
        if contract.column(name) not in columns
        and contract.column(getattr(feature, "beside", None) or name) not in columns
    }
    for values, weights in contract.weighted:
        if values not in features or weights not in features:
            features = {n: f for n, f in features.items() if n not in (values, weights)}
    domain = contract.domain
    kept = domain if domain is not None and domain.feature in features else None
    return contract.model_copy(update={"features": features, "domain": kept})


def _words(work: _Work) -> tuple[str, str]:
    """What to call the served rows, and those that they are held against."""
    if work.logs.span is not None:
        span = span_words(work.logs.span, bool(work.properties["dates"]))
        return f"what was served in span {span}", "its logs"
    return "what was served", f"split {work.split}" if work.split else "the newest logs"
