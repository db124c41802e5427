"""Every loss is a `Loss`, and says itself what its means are over."""

import pytest

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.losses.loss import Loss
from tests.trainer.small_members import SMALL, TREE

OVER_ALL_ROWS = {
    "behavioural_expectation_calibrator",
    "entire_space_cross_entropy",
    "next_behaviour",
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_every_loss_says_what_its_means_are_over(name):
    loss = LOSSES.build(name, SMALL.get(name, {}), TREE)
    assert isinstance(loss, Loss) and loss.dtype == "float32"
    assert loss.over_all_rows == (name in OVER_ALL_ROWS)


@pytest.mark.parametrize("inner", sorted(OVER_ALL_ROWS) + ["focal"])
def test_a_weighted_loss_is_over_what_the_inner_one_is_over(inner):
    loss = LOSSES.build("uncertainty_weighting", {"loss": inner}, TREE)
    assert loss.over_all_rows == (inner in OVER_ALL_ROWS)
