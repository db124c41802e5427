"""What `drift` and `validation` name and nothing has, and what drift is measured by."""

from typing import TYPE_CHECKING

from mtlx.transform.config.names import suggest

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def drift_problems(experiment: "Experiment") -> list[str]:
    """What `drift` and `validation` name and nothing has, and what drift is measured by.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    problems = [
        f"drift.features names no feature: {name!r}, {suggest(name, experiment.features)}"
        for name in experiment.drift.features
        if name not in experiment.features
    ]
    problems += [
        f"validation.open_features names no feature: {name!r}, {suggest(name, experiment.features)}"
        for name in experiment.validation.open_features
        if name not in experiment.features
    ]
    problems += [
        f"drift.label_rates names no task: {name!r}, {suggest(name, experiment.tasks)}"
        for name in experiment.drift.label_rates
        if name not in experiment.tasks
    ]
    if "drift" in experiment.model_fields_set and experiment.drift.on_drift != "off":
        if experiment.components.statistics == "stock":
            problems.append(
                "components.statistics is 'stock', but StatisticsGen counts no values that "
                "drift could be measured by: leave 'drift' out, or set drift.on_drift: off"
            )
    return problems
