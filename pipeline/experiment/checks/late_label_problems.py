"""What labels that are not known at once ask of the window and the components."""

from typing import TYPE_CHECKING

from mtlx.components.relaimp_gate.wildcards import matches

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def late_label_problems(experiment: "Experiment") -> list[str]:
    """What labels that are not known at once ask of the window and the components.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    window, components = experiment.data.window, experiment.components
    late = {task: after for task, after in experiment.matures_after.items() if after}
    if not late:
        return []
    if window is None:
        return [
            f"tasks.{task}.matures_after is counted in spans of data.window, which is not set: "
            "set it, say to {train: 7, test: 1}"
            for task in late
            if experiment.tasks[task].matures_after
        ]
    problems = [
        f"components.{name} is 'stock', but TFX's {stock} knows no labels that mature "
        f"(tasks.{next(iter(late))}.matures_after): leave components.{name} out"
        for name, stock in (("transform", "Transform"), ("evaluation", "Evaluator"))
        if getattr(components, name) == "stock"
    ]
    for task, after in late.items():
        what = f"the labels of task {task} are known {after} spans later (matures_after), "
        if after > window.train + window.test - 1:
            problems.append(
                f"data.window: {what}and no span that trains is as old: set data.window.train "
                f"to {after - window.test + 1} or more"
            )
        asked = [t for t in experiment.gate.thresholds if matches(task, t.task)]
        if after >= window.test and asked:
            problems.append(
                f"gate.thresholds: {what}so that no span that tests has any, and the threshold "
                f"on task {asked[0].task!r} could not be decided: set data.window.test to "
                f"{after + 1} or more, or name other tasks"
            )
    return problems
