import numpy as np
import pytest

from mtlx.trainer.layers.expert_groups import expert_groups


@pytest.mark.parametrize("last", [True, False])
def test_gates_go_by_their_own_experts_and_the_shared_ones(last):
    group, visible = expert_groups(tasks=2, task_experts=2, shared_experts=1, last=last)
    assert group.tolist() == [0, 0, 1, 1, 2]
    gates = [[1, 1, 0, 0, 1], [0, 0, 1, 1, 1]]
    # The shared gate of a level before the last goes by all.
    assert visible.astype(int).tolist() == gates + ([] if last else [[1] * 5])
    assert visible.dtype == np.bool_
