"""The end of a run: its report where a person finds it, and its record."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_record import metrics_record
from mtlx.pipeline.run.record.spans_of_run import spans_of_run
from mtlx.pipeline.run.run_folder import METADATA_FILE, RunFolder
from mtlx.pipeline.run.run_result import NodeRun, RunResult

if TYPE_CHECKING:  # These take seconds to import.
    import ml_metadata

    from mtlx.components.serving_check.serving_outcome import ServingOutcome
    from mtlx.pipeline.run.window_run import WindowRun


def finish(
    run_id: str,
    nodes: list[NodeRun],
    folder: Path,
    journal: RunJournal,
    experiment: Experiment,
    seen: "WindowRun | None" = None,
) -> RunResult:
    """Copies the report to a place that a person finds, and writes the run's record.

    Args:
        run_id: of the run.
        nodes: that ended well.
        folder: of the run, below the pipeline root, in which ``metadata.sqlite`` lies.
        journal: of the run.
        experiment: that was run.
        seen: what was done for a window; None where that is not known.
    """
    from mtlx.components.relaimp_gate.verdict import Verdict
    from mtlx.components.report.artifact import read_report

    result = RunResult(run_id, nodes, False, None, folder)
    verdict = Verdict.of_blessing(result.blessing)
    own = RunFolder(folder)
    own.write_report(read_report(result.output("Report", "report")))
    outcome = serving_outcome(result)
    blessed = verdict.blessed and (outcome is None or outcome.blessed)
    pushed_to = _pushed_to(result) if blessed else None
    window = _window(result, seen.record() if seen else {})
    result = dataclasses.replace(result, blessed=blessed, pushed_to=pushed_to, window=window)
    outputs = {node.node_id: node.outputs for node in nodes}
    record = dataclasses.asdict(result) | {"folder": str(folder)}
    if outcome is not None:
        record["serving_check"] = dataclasses.asdict(outcome)
    record |= _metrics(result) | _drift(result) | _skew(result)
    record["spans"] = spans_of_run(folder.parent.parent, outputs, experiment.data.path)
    del record["notes"]
    journal.finished(record, blessed)
    own.make_latest()
    return result


def _window(result: RunResult, seen: Mapping[str, Any]) -> dict[str, Any] | None:
    """For ``run.json``: which spans the model was trained and tested on, by number and in words,
    and what was `seen` to before the run; None without a window.
    """
    from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
    from mtlx.components.log_example_gen.spans.window_plan import window_words
    from mtlx.pipeline.graph.resolvers.span_window import SPAN_WINDOW
    from mtlx.pipeline.graph.resolvers.spans_of_model import spans_of

    if all(node.node_id != SPAN_WINDOW for node in result.nodes):
        return None
    with _store(result) as store:
        (model,) = store.get_artifacts_by_uri(result.output("Trainer", "model"))
        spans = spans_of(store, model.id)
    newest = read_ingestion_summary(result.output("LogExampleGen", "examples"))
    date = bool(newest and (newest["provenance"] or {}).get("span_is_date"))
    return {
        "train": list(spans.train),
        "test": list(spans.test),
        "words": window_words(spans.train, spans.test, date),
        **({"before": list(spans.before)} if spans.before else {}),
        **seen,
    }


@contextlib.contextmanager
def _store(result: RunResult) -> "Iterator[ml_metadata.MetadataStore]":
    """The run's metadata store."""
    from tfx.orchestration import metadata

    root = result.folder.parent.parent
    connection = metadata.sqlite_metadata_connection_config(str(root / METADATA_FILE))
    with metadata.Metadata(connection) as handle:
        yield handle.store


def serving_outcome(result: RunResult) -> "ServingOutcome | None":
    """What the serving check of a run found; None where the run has none."""
    from mtlx.components.serving_check.serving_outcome import ServingOutcome

    return ServingOutcome.load(result.infra_blessing) if result.infra_blessing else None


def _metrics(result: RunResult) -> dict[str, Any]:
    """The slice evaluation's metrics; nothing where the stock Evaluator took its place."""
    from mtlx.components.slice_evaluation.results import load_results

    if all(node.node_id != "SliceEvaluation" for node in result.nodes):
        return {}
    return metrics_record(load_results(result.output("SliceEvaluation", "evaluation")))


def _drift(result: RunResult) -> dict[str, Any]:
    """What moved beyond its threshold, in words; nothing where nobody measured it."""
    from mtlx.components.drift_guard.drift_result import Drift

    if all(node.node_id != "DriftGuard" for node in result.nodes):
        return {}
    drift = Drift.load(result.output("DriftGuard", "drift"))
    return {"drift": [movement.words for movement in drift.beyond]}


def _skew(result: RunResult) -> dict[str, Any]:
    """What was served otherwise than logged, in words; nothing where nobody looked."""
    from mtlx.components.skew_guard.skew_result import Skew

    if all(node.node_id != "SkewGuard" for node in result.nodes):
        return {}
    return {"skew": Skew.load(result.output("SkewGuard", "skew")).beyond}


def _pushed_to(result: RunResult) -> str | None:
    """Folder that Pusher wrote, from the metadata of its output artifact."""
    if all(node.node_id != "Pusher" for node in result.nodes):
        return None
    with _store(result) as store:
        (artifact,) = store.get_artifacts_by_uri(result.output("Pusher", "pushed_model"))
    properties = artifact.custom_properties
    return properties["pushed_destination"].string_value or None
