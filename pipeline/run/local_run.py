"""Runs an experiment's pipeline on this machine, node by node, in one process."""

import contextlib
import dataclasses
import datetime
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.process.disk_full import is_disk_full
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.process.prompt_stop import at_stop
from mtlx.pipeline.process.run_log import run_log
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.spans_of_run import spans_of_run
from mtlx.pipeline.run.record.written_bytes import bytes_of_node
from mtlx.pipeline.run.revision import told_revision
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER, METADATA_FILE, RunFolder
from mtlx.pipeline.run.run_lock import LOCK_FILE, PipelineRootInUse, run_lock
from mtlx.pipeline.run.run_record import (
    ExperimentSource,
    describe_run,
    keep_experiment,
    metrics_record,
)
from mtlx.pipeline.run.tell import tell_end, tell_failure

if TYPE_CHECKING:  # These take seconds to import.
    import ml_metadata
    from tfx.proto.orchestration import pipeline_pb2

    from mtlx.components.serving_check.serving_outcome import ServingOutcome
    from mtlx.pipeline.run.window_run import WindowRun


@dataclasses.dataclass(frozen=True)
class NodeRun:
    """One node of a finished or running pipeline.

    Attributes:
        node_id: the node.
        state: ``running``, ``complete``, ``cached``, ``skipped`` (a Pusher or serving check whose
            model is not blessed) or ``failed``.
        seconds: wall time, 0 while it runs.
        rows: examples that it worked on, where it says so.
        malformed: rows that it read and left out, where it says so.
        outputs: URIs of its output artifacts by output name.
        bytes: that it wrote; None where it wrote nothing, or it is not known.
    """

    node_id: str
    state: str
    seconds: float = 0.0
    rows: int | None = None
    outputs: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    malformed: int | None = None
    bytes: int | None = None


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run left.

    Attributes:
        run_id: of this run.
        nodes: the nodes in the order in which they ran.
        blessed: whether the candidate passed the gate and, where there is one, the serving check.
        pushed_to: folder of the pushed version, or None.
        folder: the run's own folder, with ``report.html``, ``run.json`` and ``log.txt``.
        window: with a window of spans, which of them trained (``train``) and tested (``test``), the
            same in ``words``, and what was done for it, see `WindowRun.record`.
        notes: sentences on who was told of the run's end, and who could not be.
    """

    run_id: str
    nodes: list[NodeRun]
    blessed: bool
    pushed_to: str | None
    folder: Path
    window: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def output(self, node_id: str, name: str) -> str:
        """URI of a node's output artifact.

        Raises:
            KeyError: no such node or output.
        """
        for node in self.nodes:
            if node.node_id == node_id:
                return node.outputs[name][0]
        raise KeyError(node_id)

    @property
    def blessing(self) -> str:
        """URI of the blessing, whichever node gave it."""
        return next(
            node.outputs["blessing"][0] for node in self.nodes if "blessing" in node.outputs
        )

    @property
    def infra_blessing(self) -> str | None:
        """URI of what the serving check left; None where there is none."""
        outputs = (node.outputs.get("infra_blessing") for node in self.nodes)
        return next((uris[0] for uris in outputs if uris), None)


class RunFailed(RuntimeError):
    """A run did not come to its end; the message says where, why, and what became of the model.

    Attributes:
        pushed_to: folder of the version that holds the run's model, where it was pushed before
            that; None where it was not.
        where: the node that failed, or before or after which.
    """

    def __init__(self, message: str, pushed_to: str | None = None, where: str = ""):
        super().__init__(message)
        self.pushed_to, self.where = pushed_to, where


def run_experiment(
    experiment: Experiment,
    on_node: Callable[[NodeRun], None] = lambda node: None,
    on_progress: Callable[[str], None] = lambda line: None,
    source: ExperimentSource | None = None,
) -> RunResult:
    """Runs all nodes; what an earlier run with the same inputs finished is taken over.

    Args:
        experiment: the validated experiment file.
        on_node: is called when a node starts and when it ends.
        on_progress: is given lines such as the trainer's one per epoch.
        source: the file that the experiment was read from, of which the run keeps a copy.

    Returns:
        The result; a candidate that did not pass the gate is a result, not an error.

    Raises:
        PipelineRootInUse: another run works in this pipeline root.
        RunFailed: a node failed, or what comes before or after the nodes.
    """
    experiment = experiment.anchored()
    root = pipeline_root(experiment)
    run_id = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    folder = RunFolder.of(root, run_id).path
    try:
        with run_lock(root), run_log(RunFolder(folder).log, on_progress):
            return _run_to_the_end(experiment, root, folder, on_node, source)
    except (PipelineRootInUse, RunFailed):
        raise
    except Exception as error:  # of the lock and the log
        raise _failure(error, experiment, [], folder) from error


def _run_to_the_end(
    experiment: Experiment,
    root: Path,
    folder: Path,
    on_node: Callable[[NodeRun], None],
    source: ExperimentSource | None,
) -> RunResult:
    """All of a run that happens while it has the pipeline root, and a log.

    Raises:
        RunFailed: something failed; that stands in the run's record.
    """
    nodes: list[NodeRun] = []
    journal = RunJournal(folder, folder.name)
    try:
        with at_stop(journal.stopped):
            about = describe_run(experiment, source)
            _keep_experiment(folder, experiment, source)
            journal.begin(about)
            pipeline = _compile(experiment, root)
            with told_revision(about["git"]):
                seen = _run_nodes(pipeline, experiment.data.span, nodes, on_node, journal)
            result = finish(folder.name, nodes, folder, journal, experiment, seen)
    except KeyboardInterrupt:
        journal.stopped()
        raise
    except Exception as error:
        failure = _failure(error, experiment, nodes, folder)
        journal.failed(failure.where, _message(error), failure.pushed_to)
        notes = tell_failure(experiment, folder, failure.where, str(failure))
        message = "\n".join([str(failure), *notes])
        raise RunFailed(message, failure.pushed_to, failure.where) from error
    return dataclasses.replace(result, notes=tell_end(experiment, folder))


def check_not_in_use(experiment: Experiment) -> None:
    """Looks whether the pipeline root is free, before a run does anything.

    Raises:
        PipelineRootInUse: another run works in this pipeline root.
    """
    root = pipeline_root(experiment)
    if (root / LOCK_FILE).exists():
        with run_lock(root):
            pass


def _compile(experiment: Experiment, root: Path) -> "pipeline_pb2.Pipeline":
    """Compiles the experiment's graph for the local metadata store; a window's is left open."""
    with heavy_imports():
        from tfx.dsl.compiler import compiler
        from tfx.orchestration import metadata

        from mtlx.pipeline.graph import graph

    connection = metadata.sqlite_metadata_connection_config(str(root / METADATA_FILE))
    return compiler.Compiler().compile(
        graph.create_pipeline(
            experiment,
            str(root / ARTIFACTS_FOLDER),
            connection,
            runtime_parameters=experiment.data.window is not None,
        )
    )


def _run_nodes(
    pipeline: "pipeline_pb2.Pipeline",
    span: int | str | None,
    nodes: list[NodeRun],
    on_node: Callable[[NodeRun], None],
    journal: RunJournal,
) -> "WindowRun | None":
    """Runs the nodes in order; appends each to `nodes`, a failed one as the last.

    With a window the time of the first node is that of all spans; what was done for them is
    returned.
    """
    from mtlx.pipeline.run import node_run
    from mtlx.pipeline.run.window_run import see_to_window

    seen = None
    for index, node_id in enumerate(node_run.node_ids(pipeline)):
        on_node(NodeRun(node_id, "running"))
        journal.node(nodes, node_id)
        started = time.monotonic()
        try:
            if index == 0:
                seen = see_to_window(pipeline, journal.run_id, span=span)
                newest = None if seen is None else seen.plan.newest_words
                node_run.bind_parameters(pipeline, journal.run_id, span=newest)
            outcome = node_run.run_node(pipeline, node_id)
        except Exception:
            nodes.append(NodeRun(node_id, "failed", time.monotonic() - started))
            journal.node(nodes)
            on_node(nodes[-1])
            raise
        seconds = time.monotonic() - started
        rows, malformed = _rows(node_id, outcome.outputs)
        state = outcome.state.value
        size = bytes_of_node(node_id, state, outcome.outputs)
        nodes.append(NodeRun(node_id, state, seconds, rows, outcome.outputs, malformed, size))
        journal.node(nodes)
        on_node(nodes[-1])
    return seen


def _rows(node_id: str, outputs: dict[str, list[str]]) -> tuple[int | None, int | None]:
    """Examples that a node worked on and rows that it left out, read from what it wrote."""
    if node_id == "LogExampleGen":
        from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary

        summary = read_ingestion_summary(outputs["examples"][0])
        if summary is not None:
            return sum(summary["rows"].values()), sum(summary["malformed"].values())
    if node_id in ("Trainer", "ReferenceTrainer"):
        from mtlx.trainer.validation.history import read_history

        history = read_history(outputs["model_run"][0])
        if history is not None:
            return sum(epoch["examples"] for epoch in history["epochs"]), None
    return None, None


def _failure(
    error: Exception, experiment: Experiment, nodes: list[NodeRun], folder: Path
) -> RunFailed:
    """What went wrong, what became of the model, and where the log is."""
    failed = nodes[-1].node_id if nodes and nodes[-1].state == "failed" else None
    where = failed or (f"after {nodes[-1].node_id}" if nodes else "before the first node")
    lines = [f"{where}: {_message(error)}"]
    if is_disk_full(error):
        lines.append("The disk is full: free some space; the same command goes on from there.")
    pushed_to = None
    if experiment.serving.push_to is not None:
        line, pushed_to = _fate_of_the_model(experiment, nodes)
        lines.append(line)
    log = RunFolder(folder).log
    try:
        with open(log, "a", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        lines.append(f"Log: {log}")
    except OSError as unwritten:
        lines.append(f"The log cannot be written: {unwritten}")
    return RunFailed("\n".join(lines), pushed_to, where)


def _fate_of_the_model(experiment: Experiment, nodes: list[NodeRun]) -> tuple[str, str | None]:
    """What became of the run's model, in words, and where it was pushed to.

    The serving folder is asked, not the metadata: the disk may have been full for these.
    """
    outputs = {node.node_id: node.outputs for node in nodes}
    pusher = next((node for node in nodes if node.node_id == "Pusher"), None)
    push_to = experiment.serving.push_to
    if pusher is None or pusher.state == "skipped" or push_to is None:
        return "The model was not pushed.", None
    from tfx.utils import path_utils

    from mtlx.components.model_pusher.serving_folder.push import served_as

    base = absolute(push_to)
    model = path_utils.serving_model_path(outputs["Trainer"]["model"][0])
    if "ServingCheck" in outputs:
        with_warm_up = path_utils.stamped_model_path(outputs["ServingCheck"]["infra_blessing"][0])
        model = with_warm_up if os.path.isdir(with_warm_up) else model
    try:
        version = served_as(model, base)
    except OSError as error:
        return f"Whether the model was pushed is not known; look into {base}: {error}", None
    if version is None:
        return "The model was not pushed.", None
    return f"The model was pushed: {version.path}", version.path


def _message(error: Exception) -> str:
    """An error's own words, or its type where it has none."""
    return str(error) or type(error).__name__


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
    record |= _metrics(result) | _drift(result)
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


def _keep_experiment(folder: Path, experiment: Experiment, source: ExperimentSource | None) -> None:
    """Keeps the experiment as it is run; what a full disk does to the run, later steps say."""
    try:
        keep_experiment(folder, experiment, source)
    except OSError as error:
        logging.warning("the experiment could not be kept in %s: %s", folder, error)


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


def _pushed_to(result: RunResult) -> str | None:
    """Folder that Pusher wrote, from the metadata of its output artifact."""
    if all(node.node_id != "Pusher" for node in result.nodes):
        return None
    with _store(result) as store:
        (artifact,) = store.get_artifacts_by_uri(result.output("Pusher", "pushed_model"))
    properties = artifact.custom_properties
    return properties["pushed_destination"].string_value or None
