"""What labels, weights and drawn negatives ask of the components, and of other sections."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.slice_evaluation.metrics.metric_names import applies_to
from mtlx.transform.contract.rows.condition import Condition

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def row_problems(experiment: "Experiment") -> list[str]:
    """What labels, weights and drawn negatives ask of the components, and of other sections.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    return [*_component_problems(experiment), *_regression_problems(experiment)]


def _component_problems(experiment: "Experiment") -> Iterator[str]:
    components, contract, tasks = experiment.components, experiment.contract, experiment.tasks
    used = {
        "data.where": bool(experiment.data.where),
        "data.weight": experiment.data.weight is not None,
        "sampling": experiment.sampling is not None,
    }
    for name, task in tasks.items():
        used[f"tasks.{name}.weight"] = task.weight is not None
        used[f"tasks.{name}.kind: regression"] = task.is_regression
        used[f"tasks.{name}.label, a condition"] = isinstance(task.label, Condition)
    keys = [key for key, is_used in used.items() if is_used]
    if not keys:
        return
    stock = {
        "example_gen": ("CsvExampleGen", keys),
        "transform": (
            "Transform",
            [] if not (contract.weighs_rows or contract.regressions) else keys,
        ),
        "evaluation": ("Evaluator", [key for key in keys if "weight" in key or "kind" in key]),
    }
    for name, (called, unknown) in stock.items():
        if getattr(components, name) == "stock" and unknown:
            yield (
                f"components.{name} is 'stock', but TFX's {called} does not know {unknown[0]}: "
                f"leave components.{name} out"
            )


def _regression_problems(experiment: "Experiment") -> Iterator[str]:
    numbers = experiment.contract.regressions
    if not numbers:
        return
    trainings = {"training": experiment.training}
    # What the reference has from the candidate is said once, where it stands.
    if "select_by" in experiment.gate.reference_training:
        trainings["gate.reference_training"] = experiment.reference_training
    for key, training in trainings.items():
        if training.select_by.metric in ("auc", "relative_auc"):
            yield (
                f"{key}.select_by.metric is {training.select_by.metric!r}, and task "
                f"{min(numbers)!r} is a regression, which has no AUC: take 'normalised_entropy' or "
                "'log_loss'"
            )
    if experiment.components.evaluation != "slice":
        return
    for index, threshold in enumerate(experiment.gate.thresholds):
        meant = [name for name in experiment.tasks if matches(name, threshold.task)]
        fitting = [name for name in meant if applies_to(threshold.metric, name in numbers)]
        if meant and not fitting:
            yield (
                f"gate.thresholds.{index}: {threshold.metric!r} is not defined of task "
                f"{meant[0]!r}, a regression: ask for its calibration, rmse or xauc, such as "
                f"{{rule: calibration, task: {meant[0]}, minimum: 0.9, maximum: 1.1}}"
            )
