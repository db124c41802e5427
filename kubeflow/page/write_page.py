"""Writes everything that the page of Kubeflow Pipelines shows of a node."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.report.artifact import read_report
from mtlx.components.report.render import render_heat_map
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.components.slice_evaluation.results import load_results
from mtlx.components.slice_evaluation.statistics.roc_curve import load_roc_curves
from mtlx.kubeflow.page.declared_outputs import (
    HTML,
    MARKDOWN,
    METRICS,
    SUMMARY,
    declared_outputs,
    roc_names,
)
from mtlx.kubeflow.page.evaluation_metrics import evaluation_metrics, stock_metrics
from mtlx.kubeflow.page.gate_verdict import gate_verdict
from mtlx.kubeflow.page.markdown import plain
from mtlx.kubeflow.page.metric_names import metric_names
from mtlx.kubeflow.page.node_summary import node_details, node_summary
from mtlx.kubeflow.page.page_context import PageContext
from mtlx.kubeflow.page.roc import classification_metrics
from mtlx.kubeflow.page.training_summary import training_metrics
from mtlx.kubeflow.task_outputs import BLESSED, UNDEFINED, TaskOutputs
from mtlx.pipeline.run.node_run import NodeOutcome


def write_page(
    node_id: str, outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext
) -> None:
    """Writes the KFP artifacts of a finished node, and what gate or serving check decided.

    What cannot be shown is said in the node's summary and in the log, and does not fail the
    node, whose work is done; its file is written all the same, since some launchers refuse a task
    that lacks one. A decision is another matter: Pusher waits for it.

    Args:
        node_id: the node.
        outcome: what it left.
        outputs: of its KFP task; what the task does not declare is left out.
        context: of the run.

    Raises:
        OSError: the blessing cannot be read, or an output not be written.
    """
    if outputs.has(BLESSED):
        outputs.set_parameter(BLESSED, _is_blessed(outcome))
    summary = node_summary(outcome, context)
    for part in (_write_details, *_PARTS.get(node_id, ())):
        try:
            summary += part(outcome, outputs, context) or ""
        except Exception as error:
            logging.exception("%s: a part of the page is missing", node_id)
            summary += f"\n**Not shown:** {plain(f'{type(error).__name__}: {error}')}\n"
    if outputs.has(SUMMARY):
        outputs.path(SUMMARY).write_text(summary, encoding="utf-8")
    for name in declared_outputs(node_id, context.tasks):
        if outputs.has(name) and outputs.kind(name) != METRICS:
            outputs.set_metadata(name, _origin(outcome, context))
    _write_missing(outputs)


def _is_blessed(outcome: NodeOutcome) -> bool:
    """What the gate, or the serving check, decided."""
    if "infra_blessing" in outcome.outputs:
        return ServingOutcome.load(outcome.outputs["infra_blessing"][0]).blessed
    return Verdict.of_blessing(outcome.outputs["blessing"][0]).blessed


def _origin(outcome: NodeOutcome, context: PageContext) -> dict[str, Any]:
    """Where the TFX artifacts lie of which an artifact of the page tells."""
    origin: dict[str, Any] = {"tfx_run_id": context.run_id, "tfx_state": outcome.state.value}
    for name, uris in outcome.outputs.items():
        for number, uri in enumerate(uris):
            origin[f"tfx_uri/{name}" + (f"/{number}" if number else "")] = uri
    return origin


def _write_details(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> str:
    del outputs, context
    return node_details(outcome)


def _write_training(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> str:
    del context
    return _write_metrics(outputs, training_metrics(outcome.outputs["model_run"][0]))


def _write_evaluation(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> str:
    del context
    return _write_metrics(outputs, evaluation_metrics(outcome.outputs["evaluation"][0]))


def _write_stock(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> str:
    del context
    return _write_metrics(outputs, stock_metrics(outcome.outputs["evaluation"][0]))


def _write_heat_map(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> None:
    if outputs.has("heat_map"):
        results = load_results(outcome.outputs["evaluation"][0])
        title = context.run_name or context.run_id
        outputs.path("heat_map").write_text(render_heat_map(results, title), encoding="utf-8")


def _write_rocs(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> str:
    curves = load_roc_curves(outcome.outputs["evaluation"][0])
    for task, name in roc_names(context.tasks).items():
        if outputs.has(name):
            values = classification_metrics(task, curves.get(task))
            _write_values(outputs, name, values)
    missing = [plain(task) for task in context.tasks if task not in curves]
    if not missing:
        return ""
    return (
        f"\nNo ROC for {', '.join(missing)}: one class is absent, predictions are undefined, or "
        "the evaluation is older than its ROCs.\n"
    )


def _write_verdict(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> None:
    del context
    if outputs.has("verdict"):
        verdict = Verdict.of_blessing(outcome.outputs["blessing"][0])
        outputs.path("verdict").write_text(gate_verdict(verdict), encoding="utf-8")


def _write_report(outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext) -> None:
    del context
    if outputs.has("report"):
        html = read_report(outcome.outputs["report"][0])
        outputs.path("report").write_text(html, encoding="utf-8")


def _write_metrics(outputs: TaskOutputs, metrics: Mapping[str, float | None]) -> str:
    """Numbers; what is undefined is in the file beside them, and in the summary."""
    if not outputs.has("metrics"):
        return ""
    names = metric_names(metrics)
    values = {
        names[key]: value
        for key, value in metrics.items()
        if value is not None and math.isfinite(value)
    }
    undefined = [names[key] for key in metrics if names[key] not in values]
    outputs.set_metadata("metrics", values)
    _write_file(outputs, "metrics", values | ({UNDEFINED: undefined} if undefined else {}))
    return _undefined(undefined)


def _undefined(names: Sequence[str]) -> str:
    if not names:
        return ""
    lines = [f"- {plain(name)}" for name in names[:_MAXIMUM_UNDEFINED]]
    if len(names) > _MAXIMUM_UNDEFINED:
        lines.append(f"- and {len(names) - _MAXIMUM_UNDEFINED:,} more, in the file of the metrics")
    return "\n".join(["\n## Metrics that are undefined", "", *lines]) + "\n"


def _write_values(outputs: TaskOutputs, name: str, values: Mapping[str, Any]) -> None:
    """As metadata, from which the page draws, and as a file that can be downloaded."""
    outputs.set_metadata(name, values)
    _write_file(outputs, name, values)


def _write_file(outputs: TaskOutputs, name: str, values: Mapping[str, Any]) -> None:
    outputs.path(name).write_text(json.dumps(_finite(values)), encoding="utf-8")


def _write_missing(outputs: TaskOutputs) -> None:
    """Gives every declared artifact a file."""
    for name in outputs.names:
        path = outputs.path(name)
        if not path.exists():
            path.write_text(_NOTHING.get(outputs.kind(name), "{}"), encoding="utf-8")


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in values.items()
        if not isinstance(value, float) or abs(value) < float("inf")
    }


#: Names of undefined metrics that the summary lists.
_MAXIMUM_UNDEFINED = 100
_NOT_SHOWN = "Not shown: the task's summary says why."
#: What stands in the place of an artifact that could not be made, by schema title; else ``{}``.
_NOTHING = {HTML: f"<!doctype html><p>{_NOT_SHOWN}</p>", MARKDOWN: f"{_NOT_SHOWN}\n"}
_PARTS = {
    "Trainer": (_write_training,),
    "ReferenceTrainer": (_write_training,),
    "SliceEvaluation": (_write_evaluation, _write_heat_map, _write_rocs),
    "Evaluator": (_write_stock, _write_verdict),
    "RelaImpGate": (_write_verdict,),
    "Report": (_write_report,),
}
