import numpy as np

from mtlx.trainer.task_tree import ancestry, levels, preceding
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("like", "like"),
    TaskSpec("cart", "cart", "click", "click"),
    TaskSpec("share", "share", "like"),
    TaskSpec("buy", "buy", "cart", "click"),
)


def test_preceding_tasks_and_levels():
    assert preceding(TASKS) == [None, None, 0, 1, 2]
    assert levels(preceding(TASKS)) == [[0, 1], [2, 3], [4]]
    assert levels([None]) == [[0]]


def test_what_each_task_reaches():
    along = ancestry(TASKS, "after")
    assert [np.flatnonzero(row).tolist() for row in along] == [[0], [1], [0, 2], [1, 3], [0, 2, 4]]
    population = ancestry(TASKS, "population")
    assert [np.flatnonzero(row).tolist() for row in population] == [[0], [1], [0, 2], [3], [0, 4]]
