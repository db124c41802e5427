"""The metrics beside AUC, log loss and calibration, as a reader meets them."""

from dataclasses import dataclass

from mtlx.components.slice_evaluation.metrics.metric_names import (
    ALWAYS,
    build_metric,
    metric_title,
)
from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    ANCHOR,
    BASELINE,
    CANDIDATE,
    REFERENCE,
)


@dataclass(frozen=True)
class FurtherCell:
    """A metric of the candidate in one task and slice.

    Attributes:
        own: its value.
        differences: to each other model: name and the candidate's minus that model's.
        left_out: users or requests in which it is undefined; None where it is one of rows.
    """

    own: Estimate
    differences: tuple[tuple[str, Estimate], ...]
    left_out: int | None


@dataclass(frozen=True)
class FurtherMetric:
    """One metric.

    Attributes:
        name: as in `evaluation.metrics`.
        title: what people call it.
        better: ``higher`` or ``lower``.
        digits: behind the point.
        cells: by task and slice.
    """

    name: str
    title: str
    better: str
    digits: int
    cells: dict[tuple[str, SliceKey], FurtherCell]


def further_metrics(results: SliceResults) -> list[FurtherMetric]:
    """Returns all that were measured beside `ALWAYS`, in the order of the settings.

    Args:
        results: of the slice evaluation.
    """
    found = []
    for name in results.measured:
        if name in ALWAYS:
            continue
        built = build_metric(name)
        cells = {
            (metric.task, metric.key): FurtherCell(
                metric.estimate(name), (), metric.left_out.get(name)
            )
            for metric in results.metrics
            if metric.model == CANDIDATE
        }
        order = (BASELINE, REFERENCE, ANCHOR)
        for compared in sorted(results.comparisons, key=lambda one: order.index(one.baseline)):
            place = compared.task, compared.key
            if place in cells:
                cell = cells[place]
                further = (compared.baseline, compared.difference(name))
                cells[place] = FurtherCell(cell.own, (*cell.differences, further), cell.left_out)
        if any(cell.own.value is not None or cell.own.reason for cell in cells.values()):
            found.append(FurtherMetric(name, metric_title(name), built.better, built.digits, cells))
    return found
