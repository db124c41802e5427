"""The Markdown summary that every node has: how it ended, what it left, what it says of it."""

import ml_metadata

from mtlx.components.report.formatting import duration
from mtlx.kubeflow.page.data_summary import (
    anomalies_summary,
    drift_summary,
    ingestion_summary,
    statistics_summary,
)
from mtlx.kubeflow.page.evaluation_summary import evaluation_summary
from mtlx.kubeflow.page.markdown import code, plain, table
from mtlx.kubeflow.page.page_context import PageContext
from mtlx.kubeflow.page.summaries.insight_summary import insight_summary
from mtlx.kubeflow.page.summaries.serving_summary import serving_summary
from mtlx.kubeflow.page.summaries.skew_summary import skew_summary
from mtlx.kubeflow.page.training_summary import training_summary
from mtlx.pipeline.run.node_run import NodeOutcome, NodeState

_STATES = {
    NodeState.COMPLETE: "complete",
    NodeState.CACHED: "served from the cache: the outputs are an earlier run's",
    NodeState.SKIPPED: "skipped: the model was not blessed by all before, and is not pushed",
}

#: What a node has to say of its outputs: output name, and lines from the output's URI.
_DETAILS = {
    "LogExampleGen": ("examples", ingestion_summary),
    "StatisticsGen": ("statistics", statistics_summary),
    "ExampleValidator": ("anomalies", anomalies_summary),
    "DriftGuard": ("drift", drift_summary),
    "SkewGuard": ("skew", skew_summary),
    "ModelInsight": ("insight", insight_summary),
    "Trainer": ("model_run", training_summary),
    "SliceEvaluation": ("evaluation", evaluation_summary),
    "ReferenceTrainer": ("model_run", training_summary),
    "ServingCheck": ("infra_blessing", serving_summary),
}


def node_summary(outcome: NodeOutcome, context: PageContext) -> str:
    """Returns the node's state, time and artifacts, as Markdown.

    Args:
        outcome: of the node.
        context: of the run.
    """
    facts = [
        ("State", _STATES[outcome.state]),
        ("Time", duration(context.seconds)),
        ("Run", code(context.run_id)),
        ("Run name", plain(context.run_name)),
        ("Execution in ML-Metadata", str(outcome.execution_id)),
    ]
    lines = [f"# {plain(outcome.node_id)}"]
    lines += table(("", ""), [fact for fact in facts if fact[1]])
    lines += _earlier(context.failures)
    lines += _artifacts(outcome, context)
    return "\n".join(lines) + "\n"


def node_details(outcome: NodeOutcome) -> str:
    """Returns what the node's outputs say, as Markdown; empty for most nodes.

    Raises:
        OSError: an output cannot be read.
        ValueError: likewise.
    """
    if outcome.node_id not in _DETAILS:
        return ""
    name, lines_of = _DETAILS[outcome.node_id]
    if name not in outcome.outputs:
        return ""
    return "\n".join(line for uri in outcome.outputs[name] for line in lines_of(uri)) + "\n"


def _earlier(failures: tuple[str, ...]) -> list[str]:
    """What was tried before this attempt."""
    if not failures:
        return []
    lines = ["## Attempts that failed before", ""]
    return [*lines, *(f"{number}. {plain(text)}" for number, text in enumerate(failures, 1)), ""]


def _artifacts(outcome: NodeOutcome, context: PageContext) -> list[str]:
    if not outcome.outputs:
        return ["This node has no output artifacts."]
    uris = [(name, uri) for name, uris in outcome.outputs.items() for uri in uris]
    kinds = _types(context.store, [uri for _, uri in uris])
    rows = [(plain(name), plain(kinds.get(uri, "")), code(uri)) for name, uri in uris]
    return ["## Output artifacts", *table(("Output", "Type", "URI"), rows)]


def _types(store: ml_metadata.MetadataStore | None, uris: list[str]) -> dict[str, str]:
    """TFX type of each artifact, by URI."""
    if store is None:
        return {}
    artifacts = [artifact for uri in uris for artifact in store.get_artifacts_by_uri(uri)]
    ids = sorted({artifact.type_id for artifact in artifacts})
    names = {kind.id: kind.name for kind in store.get_artifact_types_by_id(ids)} if ids else {}
    return {artifact.uri: names.get(artifact.type_id, "") for artifact in artifacts}
