"""Runs an experiment's pipeline on this machine."""

import dataclasses
import datetime
import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.process.disk_full import is_disk_full
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.process.prompt_stop import at_stop
from mtlx.pipeline.process.run_log import run_log
from mtlx.pipeline.run.ended.fate_of_model import fate_of_model
from mtlx.pipeline.run.finish_run import finish
from mtlx.pipeline.run.nodes.run_nodes import RunNodes
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.record.revision import told_revision
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_record import (
    ExperimentSource,
    describe_run,
    keep_experiment,
)
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER, METADATA_FILE, RunFolder
from mtlx.pipeline.run.run_lock import LOCK_FILE, PipelineRootInUse, run_lock
from mtlx.pipeline.run.run_result import NodeRun, RunFailed, RunResult
from mtlx.pipeline.run.tell import tell_end, tell_failure

if TYPE_CHECKING:  # These take seconds to import.
    from tfx.proto.orchestration import pipeline_pb2


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
            started = time.monotonic()
            with told_revision(about["git"]):
                seen = RunNodes(pipeline, experiment, nodes, on_node, journal).run()
            seconds = time.monotonic() - started
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
    return dataclasses.replace(result, notes=tell_end(experiment, folder), seconds=seconds)


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
        outputs = {node.node_id: node.outputs for node in nodes}
        ran = any(node.node_id == "Pusher" and node.state != "skipped" for node in nodes)
        line, pushed_to = fate_of_model(experiment, outputs, ran)
        lines.append(line)
    log = RunFolder(folder).log
    try:
        with open(log, "a", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        lines.append(f"Log: {log}")
    except OSError as unwritten:
        lines.append(f"The log cannot be written: {unwritten}")
    return RunFailed("\n".join(lines), pushed_to, where)


def _message(error: Exception) -> str:
    """An error's own words, or its type where it has none."""
    return str(error) or type(error).__name__


def _keep_experiment(folder: Path, experiment: Experiment, source: ExperimentSource | None) -> None:
    """Keeps the experiment as it is run; what a full disk does to the run, later steps say."""
    try:
        keep_experiment(folder, experiment, source)
    except OSError as error:
        logging.warning("the experiment could not be kept in %s: %s", folder, error)
