"""The chain, tree or forest that the tasks form through `after`."""

from typing import Literal

import numpy as np

from mtlx.transform.contract.model_inputs import TaskSpec


def preceding(tasks: tuple[TaskSpec, ...]) -> list[int | None]:
    """Position of the task that each task comes after."""
    return _linked(tasks, "after")


def levels(before: list[int | None]) -> list[list[int]]:
    """Tasks by their depth in the tree; those of one level need not wait for each other.

    Args:
        before: as `preceding` gives it; a task stands behind the task that it comes after.
    """
    depths: list[int] = []
    for task in before:
        depths.append(0 if task is None else depths[task] + 1)
    return [
        [task for task, depth in enumerate(depths) if depth == level]
        for level in range(max(depths) + 1)
    ]


def ancestry(tasks: tuple[TaskSpec, ...], link: Literal["after", "population"]) -> np.ndarray:
    """Which tasks each task reaches by following a link, itself included.

    Args:
        tasks: in the model's order; a link points to an earlier task.
        link: name of the attribute that is followed.

    Returns:
        ``(T, T)`` float32: row t holds 1 for t and all tasks that it reaches, else 0.
    """
    rows = np.eye(len(tasks), dtype="float32")
    for task, target in enumerate(_linked(tasks, link)):
        if target is not None:
            rows[task] += rows[target]
    return rows


def _linked(tasks: tuple[TaskSpec, ...], link: str) -> list[int | None]:
    position = {task.name: index for index, task in enumerate(tasks)}
    targets = [getattr(task, link) for task in tasks]
    return [None if target is None else position[target] for target in targets]
