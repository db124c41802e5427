"""Nothing in a new model is drowned at the start by what it is joined with."""

import pytest

from benchmarks.start_scale import BY_DESIGN, measure, members
from mtlx.trainer.settings import ModelSettings

#: The largest part of a join to the smallest. What is a hundred times smaller is not heard.
ALLOWED = 12
MEMBERS = members()
#: Names that stand for another member.
SAME = ("encoder none", "encoder youtube_net", "bottom none")


@pytest.fixture(scope="module")
def measured():
    """Every member's start, measured once: each graph runs once."""
    return {name: measure(settings)[0] for name, settings in MEMBERS.items() if name not in SAME}


def test_whatever_is_joined_is_of_like_size(measured):
    worst = {name: start.joins[0] for name, start in measured.items()}
    unlike = {name: str(join) for name, join in worst.items() if join.ratio > ALLOWED}
    assert not unlike


def test_every_exception_is_one(measured):
    """A place that is in proportion, or no longer there, needs no reason."""
    found = {
        join.reason
        for start in measured.values()
        for join in start.by_design
        if join.ratio > ALLOWED
    }
    assert found == set(BY_DESIGN.values())


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(
            network="mmoe", sequence_encoder="dmt", sequence_options={"normalise": False}
        ),
        ModelSettings(
            network="mmoe", sequence_encoder="tim", sequence_options={"normalise": False}
        ),
        ModelSettings(network="dtn", options={"normalize_modules": False}),
    ],
    ids=["a decoder's target", "TIM's", "DTN's modules"],
)
def test_what_was_drowned_before_is_found(settings):
    assert measure(settings)[0].joins[0].ratio > 2 * ALLOWED
