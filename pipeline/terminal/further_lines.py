"""The metrics beside AUC, log loss and calibration, over all rows: a line per task."""

from collections.abc import Iterator

from mtlx.components.slice_evaluation.metrics.metric_names import (
    ALWAYS,
    build_metric,
    metric_title,
)
from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE


def further_lines(results: SliceResults) -> Iterator[str]:
    """Yields what was measured of the candidate; slices, and differences, are in the report.

    Args:
        results: of the slice evaluation.
    """
    names = [name for name in results.measured if name not in ALWAYS]
    for task in results.tasks:
        metric = results.metric(CANDIDATE, task)
        if metric is None:
            continue
        parts = []
        for name in names:
            value, lower, upper, *_ = metric.estimate(name)
            if value is None:
                continue
            digits = build_metric(name).digits
            text = f"{metric_title(name)} {value:.{digits}f}"
            if lower is not None and upper is not None:
                text += f" [{lower:.{digits}f}, {upper:.{digits}f}]"
            parts.append(text)
        if parts:
            yield f"{task}: {', '.join(parts)}"
