"""Renders a report: a pure function from its data to one HTML page."""

import jinja2

from components.relaimp_gate.verdict import Check
from components.report import formatting, line_chart
from components.report.heat_map import heat_map
from components.report.report_data import ReportData
from components.report.slice_groups import slice_groups
from components.report.training_view import charts, gate_tables, time_rows
from components.slice_evaluation.slice_metrics import BASELINE, CANDIDATE, REFERENCE

#: How the models are called in the report.
MODEL_NAMES = {
    CANDIDATE: "candidate",
    BASELINE: "baseline model",
    REFERENCE: "reference model",
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
        view["groups"] = slice_groups(data.results, data.max_cross_slices_shown)
        baselines = [name for name in (BASELINE, REFERENCE) if name in data.results.models]
        view["heat_maps"] = [heat_map(data.results, name) for name in baselines]
        view["metrics"] = {(m.model, m.task, m.slice): m for m in data.results.metrics}
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
        "gates": gate_tables(data.trainings),
        "times": time_rows(data.ingestion, data.trainings),
        "rows_per_split": _rows_per_split(data),
    }
    return _ENVIRONMENT.get_template("report.html").render(view)


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
