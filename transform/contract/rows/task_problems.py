"""What tasks say of each other, and of rows, that can't be."""

from collections.abc import Iterator, Mapping

from mtlx.transform.config.names import suggest
from mtlx.transform.contract.rows.condition import Condition
from mtlx.transform.contract.rows.sampling import Sampling
from mtlx.transform.contract.rows.task import Task
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT, task_weight


def task_problems(tasks: Mapping[str, Task], sampling: Sampling | None = None) -> list[str]:
    """One sentence per problem, each beginning with the key path.

    Args:
        tasks: of a data contract, in its order.
        sampling: of the contract.
    """
    problems: list[str] = []
    before: list[str] = []
    for name, task in tasks.items():
        for key, other in (("after", task.after), ("population", task.population)):
            if other is not None and other not in tasks:
                problems.append(
                    f"tasks.{name}.{key} names no task: {other!r}, {suggest(other, tasks)}"
                )
            elif other is not None and other not in before:
                problems.append(f"tasks.{name}.{key}: put task {name!r} behind task {other!r}")
            elif other is not None and tasks[other].is_regression:
                problems.append(
                    f"tasks.{name}.{key} names {other!r}, a regression, whose labels are numbers: "
                    "name a task with labels 0 and 1"
                )
        problems += _kind_problems(name, task)
        before.append(name)
    taken = {ROW_WEIGHT, DRAWN_WEIGHT, *map(task_weight, tasks)}
    problems += [
        f"tasks.{name}.label: {task.label_key!r} is the name under which weights travel; rename "
        "the column"
        for name, task in tasks.items()
        if task.label_key in taken
    ]
    return [*problems, *_sampling_problems(tasks, sampling)]


def _kind_problems(name: str, task: Task) -> Iterator[str]:
    if not task.is_regression:
        if task.loss is not None:
            yield (
                f"tasks.{name}.loss is of a regression: set tasks.{name}.kind: regression, or "
                "leave it out and name losses of tasks with labels 0 and 1 in training.loss"
            )
        return
    if isinstance(task.label, Condition):
        yield (
            f"tasks.{name}.label is a condition, which is 0 or 1, and kind is regression: name the "
            f"column, {task.label.column!r}, or leave kind out"
        )
    if task.after is not None:
        yield (
            f"tasks.{name}.after is {task.after!r}, but the task is a regression, which does not "
            f"happen after another: for the rows where that one happened set population: "
            f"{task.after}"
        )


def _sampling_problems(tasks: Mapping[str, Task], sampling: Sampling | None) -> Iterator[str]:
    if sampling is None:
        return
    if sampling.task not in tasks:
        yield f"sampling.task names no task: {sampling.task!r}, {suggest(sampling.task, tasks)}"
    elif tasks[sampling.task].is_regression:
        yield f"sampling.task: {sampling.task!r} is a regression, which has no negatives"
