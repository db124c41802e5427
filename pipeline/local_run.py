"""Runs an experiment's pipeline on this machine, node by node, in one process."""

import dataclasses
import datetime
import json
import os
import shutil
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from pipeline.experiment import Experiment
from pipeline.heavy_imports import heavy_imports
from pipeline.pipeline_root import pipeline_root
from pipeline.run_lock import run_lock
from pipeline.run_log import run_log


@dataclasses.dataclass(frozen=True)
class NodeRun:
    """One node of a finished or running pipeline.

    Attributes:
        node_id: the node.
        state: ``running``, ``complete``, ``cached`` or ``failed``.
        seconds: wall time, 0 while it runs.
        rows: examples that it worked on, where it says so.
        outputs: URIs of its output artifacts by output name.
    """

    node_id: str
    state: str
    seconds: float = 0.0
    rows: int | None = None
    outputs: dict[str, list[str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run left.

    Attributes:
        run_id: of this run.
        nodes: the nodes in the order in which they ran.
        blessed: whether the candidate passed the gate.
        pushed_to: folder of the pushed version, or None.
        folder: the run's own folder, with ``report.html``, ``run.json`` and ``log.txt``.
    """

    run_id: str
    nodes: list[NodeRun]
    blessed: bool
    pushed_to: str | None
    folder: Path

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


class RunFailed(RuntimeError):
    """A node failed; the message says which, why, and where the log is."""


def run_experiment(
    experiment: Experiment,
    on_node: Callable[[NodeRun], None] = lambda node: None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> RunResult:
    """Runs all nodes; what an earlier run with the same inputs finished is taken over.

    Args:
        experiment: the validated experiment file.
        on_node: is called when a node starts and when it ends.
        on_progress: is given lines such as the trainer's one per epoch.

    Returns:
        The result; a candidate that did not pass the gate is a result, not an error.

    Raises:
        PipelineRootInUse: another run works in this pipeline root.
        RunFailed: a node failed.
    """
    experiment = experiment.anchored()
    root = pipeline_root(experiment)
    run_id = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    folder = root / "runs" / run_id
    with run_lock(root), run_log(folder / "log.txt", on_progress):
        nodes: list[NodeRun] = []
        try:
            pipeline = _compile(experiment, root, run_id)
            _run_nodes(pipeline, nodes, on_node)
        except Exception as error:
            with open(folder / "log.txt", "a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
            where = nodes[-1].node_id if nodes and nodes[-1].state == "failed" else "pipeline"
            raise RunFailed(f"{where}: {_message(error)}\nLog: {folder / 'log.txt'}") from error
        result = finish(run_id, nodes, folder)
    return result


def _compile(experiment: Experiment, root: Path, run_id: str) -> object:
    """Compiles the experiment's graph for the local metadata store."""
    with heavy_imports():
        from tfx.dsl.compiler import compiler
        from tfx.orchestration import metadata

        from pipeline import graph, node_run

    connection = metadata.sqlite_metadata_connection_config(str(root / "metadata.sqlite"))
    pipeline = compiler.Compiler().compile(
        graph.create_pipeline(experiment, str(root / "artifacts"), connection)
    )
    node_run.bind_parameters(pipeline, run_id)
    return pipeline


def _run_nodes(pipeline: object, nodes: list[NodeRun], on_node: Callable[[NodeRun], None]) -> None:
    """Runs the nodes in order; appends each to `nodes`, a failed one as the last."""
    from pipeline import node_run

    for node_id in node_run.node_ids(pipeline):
        on_node(NodeRun(node_id, "running"))
        started = time.monotonic()
        try:
            outcome = node_run.run_node(pipeline, node_id)
        except Exception:
            nodes.append(NodeRun(node_id, "failed", time.monotonic() - started))
            on_node(nodes[-1])
            raise
        seconds = time.monotonic() - started
        rows = _rows(node_id, outcome.outputs)
        nodes.append(NodeRun(node_id, outcome.state.value, seconds, rows, outcome.outputs))
        on_node(nodes[-1])


def _rows(node_id: str, outputs: dict[str, list[str]]) -> int | None:
    """Examples that a node worked on, read from what it wrote."""
    if node_id == "LogExampleGen":
        summary = Path(outputs["examples"][0]) / "ingestion" / "summary.json"
        return sum(json.loads(summary.read_text(encoding="utf-8"))["rows"].values())
    if node_id in ("Trainer", "ReferenceTrainer"):
        history = Path(outputs["model_run"][0]) / "history.json"
        epochs = json.loads(history.read_text(encoding="utf-8"))["epochs"]
        return sum(epoch["examples"] for epoch in epochs)
    return None


def _message(error: Exception) -> str:
    """An error's own words, or its type where it has none."""
    return str(error) or type(error).__name__


def finish(run_id: str, nodes: list[NodeRun], folder: Path) -> RunResult:
    """Copies the report to a place that a person finds, and writes the run's summary.

    Args:
        run_id: of the run.
        nodes: that ended well.
        folder: of the run, below the pipeline root, in which ``metadata.sqlite`` lies.
    """
    from components.relaimp_gate.verdict import Verdict

    result = RunResult(run_id, nodes, False, None, folder)
    verdict = Verdict.of_blessing(result.blessing)
    report = os.path.join(result.output("Report", "report"), "report.html")
    shutil.copyfile(report, folder / "report.html")
    pushed_to = _pushed_to(result) if verdict.blessed else None
    result = dataclasses.replace(result, blessed=verdict.blessed, pushed_to=pushed_to)
    summary = dataclasses.asdict(result) | {"folder": str(folder)}
    (folder / "run.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
    latest = folder.parent / "latest"
    temporary = folder.parent / "latest.new"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    temporary.replace(latest)
    return result


def _pushed_to(result: RunResult) -> str | None:
    """Folder that Pusher wrote, from the metadata of its output artifact."""
    from tfx.orchestration import metadata

    if all(node.node_id != "Pusher" for node in result.nodes):
        return None
    root = result.folder.parent.parent
    connection = metadata.sqlite_metadata_connection_config(str(root / "metadata.sqlite"))
    with metadata.Metadata(connection) as handle:
        uri = result.output("Pusher", "pushed_model")
        (artifact,) = handle.store.get_artifacts_by_uri(uri)
    properties = artifact.custom_properties
    return properties["pushed_destination"].string_value or None
