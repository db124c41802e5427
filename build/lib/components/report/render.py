"""Renders a report, or its heat maps alone: pure functions from data to one HTML page."""

from typing import Any

import jinja2

from components.relaimp_gate.verdict import Check
from components.report import formatting, line_chart
from components.report.experiment_view import experiment_facts, experiment_sections, model_words
from components.report.heat_map import heat_map
from components.report.report_data import ReportData
from components.report.roc_chart import roc_chart
from components.report.slice_groups import slice_groups
from components.report.training_view import charts, epoch_tables, gate_tables, time_rows
from components.slice_evaluation.results import SliceResults
from components.slice_evaluation.slice_metrics import ANCHOR, BASELINE, CANDIDATE, REFERENCE

#: How the models are called in the report.
MODEL_NAMES = {
    CANDIDATE: "candidate",
    BASELINE: "baseline model",
    REFERENCE: "reference model",
    ANCHOR: "anchor model",
}
_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("components.report", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(formatting.FILTERS)
_ENVIRONMENT.globals.update(
    share=formatting.share,
    model_names=MODEL_NAMES,
    chart_size={name: getattr(line_chart, name) for name in line_chart.__all__},
)


def render(data: ReportData) -> str:
    """Returns the page; it refers to nothing outside itself and runs no script.

    Args:
        data: of one run; what is None or empty is said to be absent.
    """
    view = {"data": data, "groups": [], "heat_maps": [], "metrics": {}, "best": []}
    if data.results is not None:
        view |= _evaluation_view(data.results, data.max_cross_slices_shown)
        view["best"] = [
            group
            for group in view["groups"]
            if any(
                data.best_possible.get(task, {}).get(name) is not None
                for task in data.results.tasks
                for name in group.slices
            )
        ]
    view |= {
        "checks": _sorted_checks(data),
        "charts": charts(data.trainings),
        "rocs": [roc_chart(task, curve) for task, curve in data.rocs.items()],
        "epochs": epoch_tables(data.trainings),
        "gates": gate_tables(data.trainings),
        "times": time_rows(data.ingestion, data.trainings),
        "rows_per_split": _rows_per_split(data),
        "model_words": model_words(data.experiment),
        "facts": experiment_facts(data.experiment, data.span),
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


def _evaluation_view(results: SliceResults, max_cross_slices_shown: int) -> dict[str, Any]:
    baselines = [name for name in (BASELINE, REFERENCE, ANCHOR) if name in results.models]
    return {
        "groups": slice_groups(results, max_cross_slices_shown),
        "heat_maps": [heat_map(results, name) for name in baselines],
        "metrics": {(m.model, m.task, m.slice): m for m in results.metrics},
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
