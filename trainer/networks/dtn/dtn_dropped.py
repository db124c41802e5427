"""Modules of DTN that single tasks do without: the option that names them, and which are small."""

from collections.abc import Mapping

import numpy as np

from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec


def kept_modules(
    tasks: tuple[TaskSpec, ...],
    names: list[str],
    visible: np.ndarray,
    dropped: Mapping[str, list[str]],
) -> np.ndarray:
    """Which modules the tasks' gates may see, ``(T, E)``, without the dropped ones.

    Args:
        tasks: T.
        names: of the E modules.
        visible: ``(T, E)``, what the gates of a task see where nothing is dropped.
        dropped: names of modules by task.

    Raises:
        SettingsError: an unknown task, or a module that the task's gates do not see anyway.
    """
    kept = np.ones(visible.shape, dtype=bool)
    task_names, problems = [task.name for task in tasks], []
    for task, modules in dropped.items():
        if task not in task_names:
            text = f"unknown task {task!r}, {suggest(task, task_names)}"
            problems.append((("dropped", task), text))
            continue
        row = task_names.index(task)
        seen_names = [names[place] for place in np.flatnonzero(visible[row])]
        for module in modules:
            if module in seen_names:
                kept[row, names.index(module)] = False
            else:
                text = f"task {task!r} sees no module {module!r}, {suggest(module, seen_names)}"
                problems.append((("dropped", task), text))
    if problems:
        raise SettingsError(problems)
    return kept


def small_modules(
    tasks: tuple[TaskSpec, ...],
    names: list[str],
    visible: np.ndarray,
    values_of_task: Mapping[str, Mapping[str, float]],
    threshold: float,
) -> dict[str, list[str]]:
    """Modules that DTN-trim drops; each gate keeps its largest one.

    Args:
        tasks: T.
        names: of the E modules.
        visible: ``(2 T, E)``, which modules each gate sees: the first of every task's two, then
            the second.
        values_of_task: by task and module what is compared: a mean share, or weight. A task that
            is not in it drops nothing.
        threshold: least value of a module that stays.

    Returns:
        Names by task, of those that drop any.
    """
    dropped = {}
    for index, task in enumerate(tasks):
        if task.name not in values_of_task:  # no row of its population
            continue
        values, small = values_of_task[task.name], []
        for row in (index, len(tasks) + index):
            seen = [names[place] for place in np.flatnonzero(visible[row])]
            largest = max(seen, key=values.__getitem__)
            small += [name for name in seen if values[name] < threshold and name != largest]
        if small:
            dropped[task.name] = small
    return dropped
