"""What steps of meta-learning are for: weights from which every task is one step away."""

import pytest

from benchmarks.meta_step import opposite_aucs


@pytest.mark.parametrize("seed", [1, 2])
def test_opposite_tasks_are_one_step_away_from_what_they_share(seed):
    """They share one logit, whose best value for both is none: the gradients of θ'_t agree on
    what is below it, where those of θ cancel."""
    as_it_is, adapted, best = opposite_aucs(True, seed)
    print(seed, round(as_it_is, 3), round(adapted, 3), round(best, 3))
    assert abs(as_it_is - 0.5) < 0.01  # of both together, for want of a logit each
    assert adapted > 0.5 + 0.7 * (best - 0.5)


def test_ordinary_steps_leave_nothing_to_adapt():
    _, adapted, _ = opposite_aucs(False, 1)
    print(round(adapted, 3))
    assert adapted < 0.6
