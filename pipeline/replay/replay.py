"""Runs an experiment day by day over past spans, in ways that are compared."""

import dataclasses
import gc
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
from tfx.orchestration import metadata

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.components.log_example_gen.spans.span_marks import is_date, span_words
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.report.best_possible import as_served
from mtlx.components.report.best_possible_path import span_path
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph.resolvers.span_window import SPAN_WINDOW
from mtlx.pipeline.history.list_runs import list_runs
from mtlx.pipeline.process.run_log import run_log
from mtlx.pipeline.replay.day_record import (
    FIRST,
    OLDER,
    TODAY,
    YESTERDAY,
    DayRecord,
    ReplayRecord,
)
from mtlx.pipeline.replay.first_look import ReplayRefused, check_settings
from mtlx.pipeline.replay.score_models import score_models
from mtlx.pipeline.replay.way import Way, experiment_of
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.record.run_record import ExperimentSource
from mtlx.pipeline.run.record.run_summary import RunSummary
from mtlx.pipeline.run.run_folder import METADATA_FILE, RunFolder
from mtlx.pipeline.run.run_result import RunFailed, RunResult

#: In the replay's folder: of the evaluations behind the runs.
_LOG = "log.txt"
#: So many spans before a day lies what is called its older model.
TWO_WEEKS = 14


class Replay:
    """Days of past spans, run as they would have been.

    Every way has a folder of its own with a pipeline root and a serving folder, so that none sees
    models, or a cache, of another. After each day the record is written; a call after a kill goes
    on behind the last whole day, and takes from the cache what of the next was done.

    Args:
        path: of the experiment file, as the next two.
        overrides: ``section.key=value`` settings that replace the file's.
        data_root: folder for relative data paths.
        folder: of the replay.
        ways: to compare.
        on_day: is given the way and the record of each day that is done.
        on_progress: is given what runs tell meanwhile.

    Attributes:
        record: as far as it came.

    Raises:
        ExperimentFileError: the experiment file, or what a way makes of it, is wrong.
        ReplayRefused: the folder holds a replay of something else.
    """

    def __init__(
        self,
        path: str,
        overrides: Sequence[str],
        data_root: str | None,
        folder: Path,
        ways: Sequence[Way],
        on_day: Callable[[Way, DayRecord], None] = lambda way, day: None,
        on_progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._path, self._overrides, self._data_root = path, tuple(overrides), data_root
        self._folder, self._on_day, self._on_progress = folder.resolve(), on_day, on_progress
        self._ways = [way for way in ways if way is not Way.STALE]
        found = ReplayRecord.read(self._folder)
        earlier = [Way(way) for way in found.days] if found else []
        experiments = {way: self._experiment(way)[0] for way in [*self._ways, *earlier]}
        first = experiments[self._ways[0]]
        date = is_date(first.data.path)
        self.record = found or ReplayRecord(first.name, date, tuple(first.tasks))
        check_settings(self.record, self._folder, experiments)
        for way in experiments:
            self.record.days.setdefault(way.value, [])
        self.record.stale = Way.STALE in ways or self.record.stale

    def run(self, spans: Sequence[int]) -> None:
        """Runs the days that are not in the record yet, in the order of their spans.

        A day that fails is noted, and the next one runs, as it would have.

        Args:
            spans: numbers, ascending.

        Raises:
            ReplayRefused: a day lies before one that was run already.
            RunFailed: of the first day.
            PipelineRootInUse: another replay is at work in the folder.
        """
        for span in spans:
            for way in self._ways:
                days = self.record.days[way.value]
                if any(day.span == span for day in days):
                    continue
                if days and days[-1].span > span:
                    name = span_words(span, self.record.date)
                    raise ReplayRefused(
                        f"span {name} lies before {span_words(days[-1].span, self.record.date)}, "
                        f"which was run already in {self._folder}: give another --out"
                    )
                days.append(self._day(way, span, days))
                self.record.write(self._folder)
                self._on_day(way, days[-1])
                _free_memory()

    def _experiment(self, way: Way, span: str | None = None) -> tuple[Experiment, tuple[str, ...]]:
        folder = self._folder / way.value
        return experiment_of(way, folder, self._path, self._overrides, self._data_root, span)

    def _day(self, way: Way, span: int, before: Sequence[DayRecord]) -> DayRecord:
        name = span_words(span, self.record.date)
        experiment, overrides = self._experiment(way, name)
        root = pipeline_root(experiment)
        self._on_progress(f"{name}, {way.words}")
        try:
            source = ExperimentSource.read(self._path, overrides)
            result = run_experiment(experiment, on_progress=self._on_progress, source=source)
        except RunFailed as error:
            if not any(day.model for day in before):
                raise
            reason = str(error).splitlines()[0]
            record = DayRecord(span, f"failed at {error.where}", reason)
            return dataclasses.replace(record, **_cost(root, before))
        return self._measured(experiment, result, span, before)

    def _measured(
        self, experiment: Experiment, result: RunResult, span: int, before: Sequence[DayRecord]
    ) -> DayRecord:
        """The record of a day whose run came to its end."""
        root = result.folder.parent.parent
        summary = RunSummary.of_record(result.run_id, RunFolder(result.folder).read_record())
        model = result.output("Trainer", "model")
        trained = [day for day in before if day.model]
        others = _others(span, trained)
        uris = list(dict.fromkeys(others.values()))
        connection = metadata.sqlite_metadata_connection_config(str(root / METADATA_FILE))
        log = run_log(self._folder / _LOG, lambda line: None)
        with log, metadata.Metadata(connection) as handle:
            scores = score_models(
                experiment, handle.store, _tested(result), {uri: uri for uri in uris}
            )
        own = dict(summary.auc)
        auc = {TODAY: own, **{name: scores[uri] for name, uri in others.items()}}
        if not trained:  # The first day's model is today's.
            auc[FIRST] = own
        checks = Verdict.of_blessing(result.blessing).checks
        failed = [check.message for check in checks if not check.passed]
        return DayRecord(
            span,
            summary.verdict,
            "; ".join(failed),
            model,
            tuple((result.window or summary.spans or {}).get("train", ())),
            auc,
            _best(experiment, span),
            **_cost(root, before),
        )


def _free_memory() -> None:
    """Lets go of a day's models, which otherwise add up: a run has the process to itself."""
    ServedModel.forget_all()
    keras.backend.clear_session()
    gc.collect()


def _others(span: int, trained: Sequence[DayRecord]) -> dict[str, str]:
    """The models of earlier days that are measured as well."""
    if not trained:
        return {}
    older = [day for day in trained if day.span <= span - TWO_WEEKS]
    chosen = {YESTERDAY: trained[-1], OLDER: (older or trained[:1])[-1], FIRST: trained[0]}
    return {name: day.model for name, day in chosen.items() if day.model}


def _tested(result: RunResult) -> list[str]:
    """URIs of the examples that hold the run's test rows."""
    for node in result.nodes:
        if node.node_id == SPAN_WINDOW:
            return node.outputs["test_examples"]
    return [result.output("LogExampleGen", "examples")]


def _best(experiment: Experiment, span: int) -> dict[str, float]:
    """The best possible AUC of all rows by task; nothing where it is not known.

    It is not of a task that is judged on other spans.
    """
    path = experiment.anchored().report.best_possible
    if path is None:
        return {}
    try:
        found = json.loads(Path(span_path(path, span)).read_text(encoding="utf-8"))
        found, _ = as_served(found, experiment.model_dump(mode="json")["features"])
        values = {task: slices.get("overall") for task, slices in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
    late = {task for task, after in experiment.contract.matures_after.items() if after}
    return {task: value for task, value in values.items() if value is not None and task not in late}


def _cost(root: Path, before: Sequence[DayRecord]) -> dict[str, Any]:
    """What a day took, in all of its runs, had it been one without a kill."""
    last_run = max((day.last_run for day in before), default="")
    last_examples = max((day.last_examples for day in before), default=0)
    runs = [run for run in list_runs(root) if run.run_id > last_run]
    nodes: dict[str, float] = {}
    for run in runs:
        for node in run.nodes:
            # What came from the cache worked in a run that was killed later, if in any of these.
            worked = node.seconds if node.state != "cached" else 0.0
            nodes[node.node_id] = max(nodes.get(node.node_id, 0.0), worked)
    connection = metadata.sqlite_metadata_connection_config(str(root / METADATA_FILE))
    rows = 0
    with metadata.Metadata(connection) as handle:
        for made in handle.store.get_artifacts_by_type("Examples"):
            if made.id <= last_examples:
                continue
            last_examples = max(last_examples, made.id)
            rows += sum((read_ingestion_summary(made.uri) or {"rows": {}})["rows"].values())
    return {
        "seconds": sum(nodes.values()),
        "nodes": nodes,
        "rows": rows,
        "last_run": max((run.run_id for run in runs), default=last_run),
        "last_examples": last_examples,
    }
