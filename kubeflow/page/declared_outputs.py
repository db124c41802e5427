"""Which KFP artifacts each node's task has: known when the pipeline is compiled."""

import re
from collections.abc import Sequence

from mtlx.kubeflow import task_outputs

#: Schema titles of the artifacts that the page of Kubeflow Pipelines can draw.
MARKDOWN = "system.Markdown"
HTML = "system.HTML"
METRICS = task_outputs.METRICS
CLASSIFICATION_METRICS = "system.ClassificationMetrics"

#: Every node's.
SUMMARY = "summary"

_OUTPUTS = {
    "Trainer": {"metrics": METRICS},
    "ReferenceTrainer": {"metrics": METRICS},
    "SliceEvaluation": {"metrics": METRICS, "heat_map": HTML},
    "Evaluator": {"metrics": METRICS, "verdict": MARKDOWN},
    "RelaImpGate": {"verdict": MARKDOWN},
    "Report": {"report": HTML},
}


def declared_outputs(node_id: str, tasks: Sequence[str]) -> dict[str, str]:
    """Returns the output artifacts of a node's task.

    Args:
        node_id: of the TFX node.
        tasks: names of the learning tasks, in the data contract's order.

    Returns:
        KFP schema title by output name. Every node has `SUMMARY`; slice evaluation has one
        artifact per task besides, see `roc_names`. The output parameter ``blessed`` of the node
        that gives the blessing is not among them.
    """
    outputs = {SUMMARY: MARKDOWN, **_OUTPUTS.get(node_id, {})}
    if node_id == "SliceEvaluation":
        outputs |= dict.fromkeys(roc_names(tasks).values(), CLASSIFICATION_METRICS)
    return outputs


def roc_names(tasks: Sequence[str]) -> dict[str, str]:
    """Returns the output name of each task's ROC, ``roc_<task>``.

    A KFP output is named with lower-case letters, digits and underscores. Tasks whose names
    differ in other characters only get a number behind the second and further ones.
    """
    names: dict[str, str] = {}
    for task in tasks:
        plain = re.sub(r"[^a-z0-9]+", "_", task.lower()).strip("_")
        name = wanted = f"roc_{plain}" if plain else "roc"
        number = 2
        while name in names.values():
            name, number = f"{wanted}_{number}", number + 1
        names[task] = name
    return names
