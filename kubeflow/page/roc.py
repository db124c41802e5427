"""A task's ROC in the form that the page draws."""

from typing import Any

from mtlx.components.slice_evaluation.statistics.roc_curve import RocCurve


def classification_metrics(task: str, curve: RocCurve | None) -> dict[str, Any]:
    """Returns the metadata of a ClassificationMetrics artifact.

    The list is what `kfp.dsl.ClassificationMetrics.log_roc_curve` collects; the backend wraps it
    before the page reads it.

    Args:
        task: its name, which is the drawing's title.
        curve: None where the task has no curve; nothing is drawn then.
    """
    if curve is None:
        return {"display_name": task, "note": "one class is absent, or predictions are undefined"}
    points = zip(curve.thresholds, curve.false_positive_rate, curve.recall, strict=True)
    return {
        "display_name": task,
        "confidenceMetrics": [
            {"confidenceThreshold": threshold, "falsePositiveRate": x, "recall": y}
            for threshold, x, y in points
        ],
    }
