"""Finds out how a run on the cluster ended, and tells it as a local run does."""

import datetime
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.orchestration import metadata
from tfx.proto.orchestration import pipeline_pb2

from mtlx.components.model_pusher.serving_folder.push_lineage import REVISION_VARIABLE
from mtlx.components.report.artifact import report_file
from mtlx.kubeflow.task.failure_note import claim_telling, failures
from mtlx.kubeflow.task.metadata_connection import ConnectionConfig
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.run.ended.fate_of_model import fate_of_model
from mtlx.pipeline.run.ended.past_nodes import PastNodes, past_nodes
from mtlx.pipeline.run.finish_run import describe_end
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_record import describe_run
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_result import RunResult
from mtlx.pipeline.run.tell import Places, tell_end, tell_failure

_SILENT = (
    "it ended without a word: out of memory or of time, killed, stopped, or never started; the "
    "task's own page says which"
)


def tell_run_end(
    pipeline: pipeline_pb2.Pipeline,
    run_id: str,
    telling: Mapping[str, Any],
    connection: ConnectionConfig,
) -> None:
    """Tells of a run's end, unless that was told before; each line of it is logged.

    Args:
        pipeline: compiled; its parameters may be open.
        run_id: of the run.
        telling: the sections ``notify`` and ``tracking``; ``folder`` of the experiment file, where
            it is of this machine, and ``host`` of Kubeflow Pipelines, or None.
        connection: to ML-Metadata.

    Raises:
        Exception: how the run ended cannot be read.
    """
    experiment = _experiment(pipeline, telling)
    with metadata.Metadata(connection) as handle, tempfile.TemporaryDirectory() as temporary:
        past = past_nodes(handle.store, pipeline, run_id)
        folder = RunFolder(Path(temporary) / "run")
        folder.path.mkdir()
        journal = RunJournal(folder.path, run_id)
        journal.begin(_about(experiment, past))
        journal.node(past.ended_well)
        result = RunResult(run_id, past.ended_well, False, None, folder.path)
        places = _places(result, telling["host"])
        if past.stuck:
            where, why = _failure(past, failures(handle.store, run_id))
            line, pushed_to = _fate(experiment, past)
            journal.failed(where, why, pushed_to)
            if _has_to_be_told(handle, run_id, f"failed at {where}"):
                text = f"{where}: {why}\n{line}"
                tell_failure(experiment, folder.path, where, text, places)
            return
        result, record = describe_end(result, experiment, handle.store)
        journal.finished(record, result.blessed)
        if _has_to_be_told(handle, run_id, "blessed" if result.blessed else "not blessed"):
            tell_end(experiment, folder.path, places)


def _has_to_be_told(handle: metadata.Metadata, run_id: str, outcome: str) -> bool:
    """Whether this outcome has yet to be told: a task that is repeated tells nothing twice."""
    if claim_telling(handle, run_id, outcome):
        return True
    print(f"Told before: {outcome}", flush=True)
    return False


def _experiment(pipeline: pipeline_pb2.Pipeline, telling: Mapping[str, Any]) -> Experiment:
    """The experiment: all but how it is run is with the report, which shows it."""
    (report,) = (
        node.pipeline_node for node in pipeline.nodes if node.pipeline_node.node_info.id == "Report"
    )
    written = report.parameters.parameters["experiment"].field_value.string_value
    sections = {name: telling[name] for name in ("notify", "tracking") if telling[name]}
    experiment = Experiment.read({**json.loads(written), **sections})
    folder = telling["folder"]
    return experiment if folder is None else experiment.in_folder(folder)


def _about(experiment: Experiment, past: PastNodes) -> dict[str, Any]:
    """For the record: what the run was made of, and when it was."""
    about = describe_run(experiment, None)
    revision = os.environ.get(REVISION_VARIABLE)
    if revision:
        plain = revision.removesuffix("+changed")
        about["git"] = {"revision": plain, "changed": plain != revision}
    if past.begun is not None and past.ended is not None:
        begun = datetime.datetime.fromtimestamp(past.begun / 1000.0).astimezone()
        about["begun"] = begun.isoformat(timespec="seconds")
        about["seconds"] = (past.ended - past.begun) / 1000.0
    return about


def _places(result: RunResult, host: str | None) -> Places:
    """Where the report lies, and the page of the run, from which its logs are reached."""
    done = any(node.node_id == "Report" for node in result.nodes)
    report = report_file(result.output("Report", "report")) if done else None
    page = f"{host.rstrip('/')}/#/runs/details/{result.run_id}" if host else ""
    return Places(report, page)


def _failure(past: PastNodes, notes: Mapping[str, str]) -> tuple[str, str]:
    """The node that failed and why; of several, one that said so, else one that was begun."""
    told = [node_id for node_id in past.stuck if node_id in notes]
    begun = [node_id for node_id in past.stuck if node_id in past.tried]
    where = (told or begun or list(past.stuck))[0]
    return where, notes.get(where) or _SILENT


def _fate(experiment: Experiment, past: PastNodes) -> tuple[str, str | None]:
    outputs = {node.node_id: node.outputs for node in past.ended_well}
    pushing = "Pusher" in outputs or "Pusher" in past.tried
    return fate_of_model(experiment, outputs, pushing)
