"""Compiles an experiment to a Kubeflow Pipelines v2 package: one task per TFX node."""

import contextlib
import dataclasses
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kfp import dsl
from kfp.compiler import Compiler
from kfp.dsl import base_component

from mtlx.components.log_example_gen.component import input_base
from mtlx.kubeflow.package.cluster_experiment import cluster_experiment
from mtlx.kubeflow.package.exit_task import (
    TELL_END,
    exit_component,
    exit_problems,
    make_exit_task,
)
from mtlx.kubeflow.package.node_component import (
    make_task,
    node_component,
    retry_arguments,
    task_name,
)
from mtlx.kubeflow.package.node_placement import place_task
from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.kubeflow.package.retry_window import widen_windows
from mtlx.kubeflow.package.strict_checks import check_package
from mtlx.kubeflow.package.tfx_graph import TfxGraph, compile_graph
from mtlx.kubeflow.page import declared_outputs
from mtlx.kubeflow.task_outputs import BLESSED
from mtlx.kubeflow.training_job.settings import RUN_FN
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings, NodeSettings
from mtlx.pipeline.experiment.reference_training import trainings
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER
from mtlx.pipeline.run.tell import tells
from mtlx.trainer.training.methods import check_workers, method_of
from mtlx.transform.config.names import suggest

__all__ = ["Package", "PackageRefused", "cluster_experiment", "compile_package"]

#: Nodes that say whether the candidate is blessed, the last one first: the serving check, which
#: repeats it where a gate says no, and the gates, ours and the stock one.
_JUDGES = ("ServingCheck", "RelaImpGate", "Evaluator")

#: Stands for the image where a package is not meant for a cluster.
_NO_IMAGE = "mtlx:local"


@dataclasses.dataclass(frozen=True)
class Package:
    """A checked package.

    Attributes:
        name: of the experiment.
        pipeline_yaml: the pipeline specification and the platform specification, two documents.
        ir: the serialised TFX pipeline that all tasks read.
        ir_digest: SHA-256 of `ir`, in hexadecimal.
        ir_path: where `ir` must lie when the tasks run.
        pipeline_root: folder or URI of all artifacts.
        nodes: settings of each node, in topological order.
    """

    name: str
    pipeline_yaml: str
    ir: bytes
    ir_digest: str
    ir_path: str
    pipeline_root: str
    nodes: Mapping[str, NodeSettings]

    def write(self, folder: str | Path) -> Path:
        """Writes ``<name>.yaml`` and ``ir/<sha256>.pb``; returns the path of the first."""
        folder = Path(folder)
        (folder / "ir").mkdir(parents=True, exist_ok=True)
        (folder / "ir" / f"{self.ir_digest}.pb").write_bytes(self.ir)
        path = folder / f"{self.name}.yaml"
        path.write_text(self.pipeline_yaml, encoding="utf-8")
        return path


def compile_package(experiment: Experiment, for_cluster: bool = True) -> Package:
    """Compiles and checks an experiment's package.

    Args:
        experiment: the validated experiment file.
        for_cluster: apply `kubeflow.settings` and refuse what only this machine can mean; False
            compiles for tasks on this machine, in the pipeline root of local runs.

    Returns:
        The package, the same bytes for the same experiment.

    Raises:
        PackageRefused: the experiment, or what came out, can't run; every problem is named.
    """
    if for_cluster:
        experiment = cluster_experiment(experiment)
        root = str(experiment.run.pipeline_root).rstrip("/")
    else:
        experiment = experiment.anchored()
        root = str(pipeline_root(experiment) / ARTIFACTS_FOLDER)
    section = experiment.kubeflow
    several = _nodes_on_several_machines(experiment) if for_cluster else {}
    tfx_graph = compile_graph(experiment, root, dict.fromkeys(several, RUN_FN))
    if not for_cluster:
        image = _NO_IMAGE if section.image is None else section.image
        section = section.model_copy(update={"image": image, "host": None})
    node_ids = (*tfx_graph.upstream, *([TELL_END] if tells(experiment) else []))
    problems = _section_problems(section, node_ids)
    problems += _training_problems(several)
    if for_cluster and tells(experiment):
        problems += exit_problems(experiment, section)
    if problems:
        raise PackageRefused(problems)
    ir_path = f"{root}/ir/{tfx_graph.digest}.pb"
    text = _compile(experiment, section, tfx_graph, ir_path)
    check_package(text)
    nodes = {node_id: section.node(node_id) for node_id in tfx_graph.upstream}
    return Package(experiment.name, text, tfx_graph.content, tfx_graph.digest, ir_path, root, nodes)


def pipeline_name(name: str) -> str:
    """An experiment's name as Kubeflow Pipelines takes it: ``My_run`` is ``my-run``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _nodes_on_several_machines(experiment: Experiment) -> dict[str, tuple[str, int]]:
    """Training method and number of machines of those Trainers that a training job trains for."""
    found = {}
    for node_id, model, training in trainings(experiment):
        workers = experiment.kubeflow.node(node_id).workers
        if workers > 1:
            found[node_id] = (method_of(model, training), workers)
    return found


def _training_problems(several: Mapping[str, tuple[str, int]]) -> list[str]:
    """Methods that can't use several machines."""
    problems = []
    for node_id, (method, workers) in several.items():
        try:
            check_workers(method, workers)
        except ValueError as error:
            problems.append(f"kubeflow.nodes.{node_id}.workers: {error}")
    return problems


def _section_problems(section: KubeflowSettings, node_ids: tuple[str, ...]) -> list[str]:
    """What of the `kubeflow` section does not fit this pipeline."""
    problems = [
        f"kubeflow.nodes.{name}: no node of this pipeline, {suggest(name, node_ids)}"
        for name in section.nodes
        if name not in node_ids
    ]
    if any(section.node(node_id).image is None for node_id in node_ids):
        problems.append(
            "kubeflow.image is missing: name the container image that was built from "
            "kubeflow/Dockerfile, for example registry.example.com/mtlx:0.1.0"
        )
    return problems


def _compile(
    experiment: Experiment, section: KubeflowSettings, tfx_graph: TfxGraph, ir_path: str
) -> str:
    """The package's text."""
    tasks = tuple(experiment.contract.tasks)
    components = {
        node_id: node_component(
            node_id,
            str(section.node(node_id).image),
            ir_path,
            tfx_graph.digest,
            declared_outputs(node_id, tasks),
            tasks,
            node_id in _JUDGES,
            retry_arguments(section.node(node_id)),
        )
        for node_id in tfx_graph.upstream
    }
    telling = None
    if tells(experiment):
        telling = exit_component(experiment, section, ir_path, tfx_graph.digest)
    data = experiment.data
    span = "" if data.span is None else str(data.span)

    @dsl.pipeline(
        name=pipeline_name(experiment.name),
        display_name=experiment.name,
        description="A gated multi-task ranking model, one task per TFX node.",
    )
    def pipeline(data_path: str = input_base(data), span: str = span, run_name: str = "") -> None:
        parameters = {"data_path": data_path, "span": span, "run_name": run_name}
        made: dict[str, dsl.PipelineTask] = {}

        def add(node_id: str) -> None:
            task = make_task(components[node_id], parameters)
            task.after(*(made[upstream] for upstream in tfx_graph.upstream[node_id]))
            _place(task, section, node_id)
            made[node_id] = task

        with _exit_handler(telling, section):
            for node_id in tfx_graph.upstream:
                judge = next((name for name in _JUDGES if name in made), None)
                if node_id == "Pusher" and judge is not None:
                    with dsl.If(made[judge].outputs[BLESSED] == True, "blessed"):  # noqa: E712
                        add(node_id)
                else:
                    add(node_id)

    timeouts = {
        task_name(node_id): section.node(node_id).timeout_seconds
        for node_id in (*tfx_graph.upstream, TELL_END)
    }
    widen_windows(pipeline.pipeline_spec, timeouts)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "pipeline.yaml")
        Compiler().compile(pipeline, file)
        return Path(file).read_text(encoding="utf-8")


def _exit_handler(
    telling: base_component.BaseComponent | None, section: KubeflowSettings
) -> contextlib.AbstractContextManager[object]:
    """Groups the tasks of a pipeline whose end is told; others are not grouped."""
    if telling is None:
        return contextlib.nullcontext()
    task = make_exit_task(telling)
    _place(task, section, TELL_END)
    group: contextlib.AbstractContextManager[object] = dsl.ExitHandler(task, "nodes")
    return group


def _place(task: dsl.PipelineTask, section: KubeflowSettings, node_id: str) -> None:
    try:
        place_task(task, section, node_id)
    except ValueError as error:
        raise PackageRefused([f"kubeflow.nodes.{node_id}: {error}"]) from error
