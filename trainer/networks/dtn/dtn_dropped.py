"""The option of DTN that drops modules of single tasks."""

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
