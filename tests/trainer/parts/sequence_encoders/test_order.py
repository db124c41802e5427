"""What positions are for: a signal that lies in the order of the behaviours."""

import pytest

from tests.trainer.parts.sequence_encoders.held_out_loss import held_out_loss, parity_of_last_click


@pytest.fixture(scope="module")
def pooled():
    return held_out_loss("mean_pooling", parity_of_last_click, items=30)


@pytest.mark.parametrize(
    ("encoder", "options"),
    [("dmt", {}), ("bst", {}), ("dien", {}), ("dfn", {"added": "positions"})],
)
def test_the_last_behaviour_is_told_from_the_others(encoder, options, pooled):
    """Mean pooling sees which items there are, not which one came last."""
    assert held_out_loss(encoder, parity_of_last_click, items=30, options=options) < 0.25 * pooled
