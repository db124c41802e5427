"""Which experts belong to which task, and which of them a task's gate goes by."""

import numpy as np


def expert_groups(
    tasks: int, task_experts: int, shared_experts: int, last: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Groups of a level with experts of each task's own and shared ones.

    Args:
        tasks: T.
        task_experts: experts of each task.
        shared_experts: experts that all tasks share; they come last.
        last: whether no level follows, so that no shared mix is needed.

    Returns:
        The group of each expert ``(E,)`` int32, tasks first and the shared group T last; and which
        experts are a gate's own or shared, ``(G, E)`` bool. G is T at the last level, and T + 1
        before: the shared gate goes by all.
    """
    sizes = [task_experts] * tasks + [shared_experts]
    group_of_expert = np.repeat(np.arange(tasks + 1, dtype="int32"), sizes)
    own = [np.isin(group_of_expert, (task, tasks)) for task in range(tasks)]
    every = [] if last else [np.ones(len(group_of_expert), dtype=bool)]
    return group_of_expert, np.stack(own + every)
