import numpy as np

from mtlx.pipeline.simulation.behaviour_history import NONE, BehaviourHistory


def test_against_lists_that_forget_their_oldest():
    rng = np.random.default_rng(0)
    history, lists = BehaviourHistory(users=6, length=4), [[] for _ in range(6)]
    for count in (0, 1, 3, 30, 5, 2):
        users, items = rng.integers(5, size=count), rng.integers(100, size=count)
        history.append(users, items)
        for user, item in zip(users, items, strict=True):
            lists[user].append(item)
        for user, expected in enumerate(lists):
            padding = [NONE] * (4 - len(expected[-4:]))
            assert history.items[user].tolist() == padding + expected[-4:]
    assert (history.items[5] == NONE).all()
