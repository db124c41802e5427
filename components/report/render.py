"""Renders a report, or its heat maps alone: pure functions from data to one HTML page."""

from collections.abc import Mapping
from typing import Any

from mtlx.components.relaimp_gate.verdict import Check
from mtlx.components.report.page_environment import page_environment
from mtlx.components.report.report_data import ReportData
from mtlx.components.report.sections.experiment_view import (
    experiment_facts,
    experiment_sections,
    model_words,
)
from mtlx.components.report.sections.further_metrics import further_metrics
from mtlx.components.report.sections.heat_map import heat_map
from mtlx.components.report.sections.insight_view import HEIGHT, WIDTH, figure_groups, mark
from mtlx.components.report.sections.reliability_chart import reliability_chart
from mtlx.components.report.sections.roc_chart import roc_chart
from mtlx.components.report.sections.seed_table import seed_rows
from mtlx.components.report.sections.slice_groups import SliceGroup, slice_groups
from mtlx.components.report.sections.training_view import (
    charts,
    epoch_tables,
    gate_tables,
    time_rows,
)
from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.slices import slice_text
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    ANCHOR,
    BASELINE,
    CANDIDATE,
    REFERENCE,
)

#: How the models are called in the report.
MODEL_NAMES = {
    CANDIDATE: "candidate",
    BASELINE: "baseline model",
    REFERENCE: "reference model",
    ANCHOR: "anchor model",
}
_ENVIRONMENT = page_environment()
_ENVIRONMENT.globals.update(
    model_names=MODEL_NAMES,
    insight_groups=figure_groups,
    plot_mark=mark,
    plot_size=(WIDTH, HEIGHT),
)


def render(data: ReportData) -> str:
    """Returns the page; it refers to nothing outside itself and runs no script.

    Args:
        data: of one run; what is None or empty is said to be absent.
    """
    view: dict[str, Any] = {"data": data, "groups": [], "heat_maps": [], "metrics": {}, "best": []}
    view["further"] = view["seed_rows"] = []
    if data.results is not None:
        view |= _evaluation_view(data.results, data.max_cross_slices_shown)
        view |= _best_view(data.results, data.best_possible, view["groups"])
    view |= {
        "checks": _sorted_checks(data),
        "charts": charts(data.trainings),
        "rocs": [roc_chart(task, curve) for task, curve in data.rocs.items()],
        "reliability": [reliability_chart(task, curve) for task, curve in data.reliability.items()],
        "epochs": epoch_tables(data.trainings),
        "gates": gate_tables(data.trainings),
        "times": time_rows(data.ingestion, data.trainings),
        "rows_per_split": _rows_per_split(data),
        "model_words": model_words(data.experiment),
        "facts": experiment_facts(data.experiment, data.span, data.spans),
        "sections": experiment_sections(data.experiment),
    }
    return _ENVIRONMENT.get_template("report.html").render(view)


def render_heat_map(results: SliceResults, title: str, max_cross_slices_shown: int = 50) -> str:
    """Returns a page of its own with AUC and RelaImp per task and slice, as self-contained.

    Args:
        results: of the slice evaluation.
        title: of the page.
        max_cross_slices_shown: see `ReportSettings`.
    """
    view = {"data": {"results": results}, "title": title}
    view |= _evaluation_view(results, max_cross_slices_shown)
    return _ENVIRONMENT.get_template("heat_map.html").render(view)


def _best_view(
    results: SliceResults,
    best_possible: Mapping[str, Mapping[str, float | None]],
    groups: list[SliceGroup],
) -> dict[str, Any]:
    """The best possible AUC by task and slice, and the groups of slices with any of it."""
    reachable = {
        (task, key): auc
        for task in results.tasks
        for key in results.slices
        if (auc := best_possible.get(task, {}).get(slice_text(key))) is not None
    }
    with_best = {key for _, key in reachable}
    best = [group for group in groups if with_best.intersection(group.slices)]
    return {"reachable_auc": reachable, "best": best}


def _evaluation_view(results: SliceResults, max_cross_slices_shown: int) -> dict[str, Any]:
    baselines = [name for name in (BASELINE, REFERENCE, ANCHOR) if name in results.models]
    return {
        "groups": slice_groups(results, max_cross_slices_shown),
        "heat_maps": [heat_map(results, name) for name in baselines],
        "metrics": {(m.model, m.task, m.key): m for m in results.metrics},
        "further": further_metrics(results),
        "seed_rows": seed_rows(results),
    }


def _sorted_checks(data: ReportData) -> list[Check]:
    """What blocks comes first, what was not applicable last."""
    if data.verdict is None:
        return []
    return sorted(data.verdict.checks, key=lambda check: (check.passed, not check.applicable))


def _rows_per_split(data: ReportData) -> dict[str, int]:
    """From the ingestion, else from the statistics."""
    if data.ingestion is not None:
        return data.ingestion["rows"]
    return {split.split: split.rows for split in data.statistics}
