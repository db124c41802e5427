"""Whose modules a task of DTN sees besides its own and the shared ones, and with which factor."""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import BeforeValidator

from mtlx.trainer.task_tree import ancestry, preceding
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec


def _named(value: object) -> object:
    """True and False are what this option was before; YAML also reads a bare ``off`` as False."""
    return {True: "full", False: "off"}[value] if isinstance(value, bool) else value


TaskSensitive = Annotated[Literal["full", "unscaled", "off"], BeforeValidator(_named)]
OtherTasks = Literal["preceding", "all"]


class Carried(NamedTuple):
    """What is carried over from task to task.

    Attributes:
        seen: ``(T, T)`` bool: task t sees the modules of task u.
        scaled: ``(T, T)`` bool: they are multiplied by u's probability; u then stands before t.
        before: by task the one whose logit has to be there first, or None.
    """

    seen: np.ndarray
    scaled: np.ndarray
    before: list[int | None]


def carried(
    tasks: tuple[TaskSpec, ...], task_sensitive: TaskSensitive, other_tasks: OtherTasks
) -> Carried:
    """Reads the two options, see DTN.

    A probability is a factor only where its task stands before: then all that a task waits for
    lies in the levels above it, and no two tasks wait for each other.

    Raises:
        SettingsError: no other task is to be seen, but all of them.
    """
    count, before = len(tasks), preceding(tasks)
    if task_sensitive == "off" and other_tasks == "all":
        text = "with task_sensitive 'off' a task sees no other task's modules: leave it out"
        raise SettingsError([(("other_tasks",), text)])
    earlier = ancestry(tasks, "after").astype(bool) & ~np.eye(count, dtype=bool)
    direct = np.array([[u == place for place in range(count)] for u in before], dtype=bool)
    seen = direct if other_tasks == "preceding" else ~np.eye(count, dtype=bool)
    nothing = np.zeros((count, count), dtype=bool)
    if task_sensitive == "off":
        return Carried(nothing, nothing, [None] * count)
    if task_sensitive == "unscaled":
        return Carried(seen, nothing, [None] * count)
    return Carried(seen, seen & earlier, before)
