"""What the end of a run says of its trainings: which epoch was kept and why, what to mind."""

from collections.abc import Iterable
from typing import Any

from mtlx.pipeline.run.run_result import NodeRun


def training_lines(nodes: Iterable[NodeRun]) -> tuple[list[str], list[str]]:
    """Reads the records of all trainings among finished nodes.

    Args:
        nodes: of a run.

    Returns:
        A sentence per training on the epoch that it kept, and the warnings, each once, since
        candidate and reference share their validation rows.
    """
    kept, warnings = [], []
    for node in nodes:
        history = _history(node)
        if history.get("kept"):
            kept.append(f"{node.node_id}: {history['kept']}")
        warnings += history.get("warnings", [])
    return kept, list(dict.fromkeys(warnings))


def _history(node: NodeRun) -> dict[str, Any]:
    # Of a run that is done; reading it earlier would load TensorFlow for nothing.
    from mtlx.trainer.validation.history import read_history

    for folder in node.outputs.get("model_run", []):
        history = read_history(folder)
        if history is not None:
            return history
    return {}
