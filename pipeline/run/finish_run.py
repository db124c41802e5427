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
    result = RunResult(run_id, nodes, False, None, folder)
    with _store(folder.parent.parent) as store:
        result, record = describe_end(result, experiment, store, seen)
    journal.finished(record, result.blessed)
    RunFolder(folder).make_latest()
    return result


def describe_end(
    result: RunResult,
    experiment: Experiment,
    store: "ml_metadata.MetadataStore",
    seen: "WindowRun | None" = None,
) -> tuple[RunResult, dict[str, Any]]:
    """Copies the report into the run's folder, and describes how the run ended.

    Args:
        result: of the run, whose nodes are known.
        experiment: that was run.
        store: the metadata store.
        seen: what was done for a window; None where that is not known.

    Returns:
        The result with its verdict, and what the run's record says of it.
    """
    from mtlx.components.relaimp_gate.verdict import Verdict
    from mtlx.components.report.artifact import read_report

    verdict = Verdict.of_blessing(result.blessing)
    RunFolder(result.folder).write_report(read_report(result.output("Report", "report")))
    outcome = serving_outcome(result)
    blessed = verdict.blessed and (outcome is None or outcome.blessed)
    pushed_to = _pushed_to(result, store) if blessed else None
    outputs = {node.node_id: node.outputs for node in result.nodes}
    spans = spans_of_run(store, outputs, experiment.data.path)
    window = _window(spans, seen) if spans and experiment.data.window else None
    result = dataclasses.replace(result, blessed=blessed, pushed_to=pushed_to, window=window)
    record = dataclasses.asdict(result) | {"folder": str(result.folder)}
    del record["seconds"]  # The journal has those of the whole run.
    if outcome is not None:
        record["serving_check"] = dataclasses.asdict(outcome)
    record |= _metrics(result) | _drift(result) | _skew(result)
    record["spans"] = spans
    del record["notes"]
    return result, record


def _window(spans: Mapping[str, Any], seen: "WindowRun | None") -> dict[str, Any]:
    """For ``run.json``: the spans of the model in words, too, and what was done for them before
    the run.
    """
    from mtlx.components.lineage.labels_left_out import label_words
    from mtlx.components.log_example_gen.spans.window_plan import window_words

    facts = {name: value for name, value in spans.items() if name != "days"}
    words = window_words(spans["train"], spans["test"], spans["days"])
    if "late" in spans:
        words += f"; late labels: {label_words(spans['late'], spans['days'])}"
    record = seen.record() if seen else {}
    if "unknown" in spans:
        unknown = label_words(spans["unknown"], spans["days"])
        notice = f"Labels that are not known yet had no part in the training: {unknown}"
        record["notices"] = [*record.get("notices", ()), notice]
    return {**facts, "words": words, **record}


@contextlib.contextmanager
def _store(root: Path) -> "Iterator[ml_metadata.MetadataStore]":
    """The metadata store of a pipeline root."""
    from tfx.orchestration import metadata

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


def _pushed_to(result: RunResult, store: "ml_metadata.MetadataStore") -> str | None:
    """Folder that Pusher wrote, from the metadata of its output artifact."""
    if all(node.node_id != "Pusher" for node in result.nodes):
        return None
    (artifact,) = store.get_artifacts_by_uri(result.output("Pusher", "pushed_model"))
    properties = artifact.custom_properties
    return properties["pushed_destination"].string_value or None
