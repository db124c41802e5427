"""What the training asks of other sections."""

from typing import TYPE_CHECKING

from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def training_problems(experiment: "Experiment") -> list[str]:
    """What the training asks of other sections.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    try:
        trainings = (experiment.training, experiment.reference_training)
    except SettingsError as error:
        return [
            f"{'.'.join(('gate.reference_training', *path))}: {message}"
            for path, message in error.problems
        ]
    problems = []
    if experiment.reference_training.warm_start is not None:
        problems.append(
            "gate.reference_training.warm_start: the reference is trained from the start, "
            "always: leave it out"
        )
    if experiment.transform.reuse == "base_model" and experiment.training.warm_start is None:
        problems.append(
            "transform.reuse is 'base_model', but training.warm_start names none: set it, "
            "say to latest_blessed"
        )
    problems += _incremental_problems(experiment)
    problems += _repeats_problems(experiment)
    weights = [("task_weights", task) for one in trainings for task in one.task_weights]
    weights += [
        ("select_by.task_weights", task)
        for one in trainings
        for task in one.select_by.task_weights or ()
    ]
    return problems + [
        f"training.{key} names no task: {task!r}, {suggest(task, experiment.tasks)}"
        for key, task in dict.fromkeys(weights)
        if task not in experiment.tasks
    ]


def _incremental_problems(experiment: "Experiment") -> list[str]:
    """What a training on unseen spans needs of other sections."""
    start, problems = experiment.training.warm_start, []
    if start is None or not start.incremental:
        return []
    if experiment.data.window is None:
        problems.append(
            "training.warm_start.spans is 'unseen', but data.window does not say how many "
            "spans train: set data.window: {train: 7, test: 1}"
        )
    if experiment.gate.reference is not None:
        problems.append(
            "training.warm_start.spans is 'unseen', but gate.reference would be trained on "
            "those spans alone, from random weights, and be no match: leave gate.reference or "
            "spans: unseen out"
        )
    return problems


def _repeats_problems(experiment: "Experiment") -> list[str]:
    """Seeds of the reference that nothing would be made of."""
    repeats, reference = experiment.training.repeats, experiment.reference_training.repeats
    problems = []
    if experiment.gate.reference is not None and reference > 1 and repeats == 1:
        problems.append(
            f"gate.reference_training.repeats is {reference}, but the candidate is trained once: "
            "means over seeds are compared where training.repeats says how many seeds it has"
        )
    if repeats > 1 and experiment.components.evaluation != "slice":
        problems.append(
            f"training.repeats is {repeats}, but the stock Evaluator judges the exported model "
            "alone: set components.evaluation to slice, or repeats to 1"
        )
    return problems
