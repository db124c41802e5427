"""The best possible AUC of a model that is served without some columns."""

from collections.abc import Mapping
from typing import Any

from mtlx.components.report.report_data import AucBySlice

#: Between a task and a column: ``click without position``.
WITHOUT = " without "


def as_served(
    found: AucBySlice, features: Mapping[str, Mapping[str, Any]]
) -> tuple[AucBySlice, tuple[str, ...]]:
    """Takes what a model can reach that reads these features when it is served.

    A file may hold a task twice, as ``click`` and as ``click without position``: the latter is what
    the true probabilities reach where the column is not known. It is right for a model that has
    no feature of the column, or one that is known only when training (`serve_as`, `dropped`).

    Args:
        found: AUC by task and slice, as the file has it.
        features: of the experiment, as plain values by name; empty where they are unknown.

    Returns:
        AUC by task and slice, each task once; and the columns that it is reached without.
    """
    served = {column for name, feature in features.items() for column in _columns(name, feature)}
    best = {task: slices for task, slices in found.items() if WITHOUT not in task}
    unknown = []
    for name, slices in found.items():
        task, _, column = name.partition(WITHOUT)
        if column and features and column not in served:
            best[task] = slices
            unknown.append(column)
    return best, tuple(dict.fromkeys(unknown))


def _columns(name: str, feature: Mapping[str, Any]) -> list[str]:
    """Those that a served model reads for a feature."""
    if feature.get("serve_as") is not None or feature.get("dropped"):
        return []
    columns: list[str] = feature.get("columns") or [feature.get("column") or name]
    return columns
