"""What thresholds name and nothing has, and models to compare with that are not there."""

from typing import TYPE_CHECKING

from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.slice_evaluation.metrics.metric_names import ALWAYS
from mtlx.pipeline.experiment.threshold_slices import threshold_problem
from mtlx.transform.config.names import suggest

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def gate_problems(experiment: "Experiment") -> list[str]:
    """What thresholds name and nothing has, and models to compare with that are not there.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    problems = [
        f"gate.thresholds: no task matches {threshold.task!r}, "
        f"{suggest(threshold.task, experiment.tasks)}"
        for threshold in experiment.gate.thresholds
        if not any(matches(task, threshold.task) for task in experiment.tasks)
    ]
    if experiment.components.evaluation == "slice":
        problems += [
            f"gate.thresholds.{index}.slice {threshold.slice!r} {problem}"
            for index, threshold in enumerate(experiment.gate.thresholds)
            if (
                problem := threshold_problem(
                    threshold.slice, experiment.evaluation, experiment.contract
                )
            )
        ]
        problems += [
            f"gate.thresholds.{index}: {threshold.metric!r} is not measured: name it in "
            "evaluation.metrics"
            for index, threshold in enumerate(experiment.gate.thresholds)
            if threshold.metric not in (*experiment.evaluation.metrics, *ALWAYS)
        ]
    if experiment.gate.baseline == "reference" and experiment.gate.reference is None:
        problems.append(
            "gate.baseline is 'reference' but gate.reference is absent: "
            "name the model to train as the reference, for example {network: ple}"
        )
    if experiment.gate.anchor == "reference" and experiment.gate.reference is None:
        problems.append(
            "gate.anchor is 'reference' but gate.reference is absent: name the model to train "
            "as the reference, for example {network: ple}"
        )
    if experiment.gate.baseline == "reference" and experiment.gate.given_model is not None:
        problems.append(
            "gate.given_model takes the place of the latest blessed model, but gate.baseline "
            "is 'reference': leave one of the two out"
        )
    return problems
