"""Impressions: in the order of time, in the asked shares, ranked by taste where the shop does."""

import numpy as np
import pytest

from mtlx.pipeline.simulation.impressions import POSITIONS, draw_impressions
from mtlx.pipeline.simulation.population import draw_items, draw_users

ROWS = 40_000


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(6)
    return draw_users(1000, rng), draw_items(300, rng)


def _draw(world, mix=(0.5, 0.3, 0.2), seed=7, **arguments):
    rng = np.random.default_rng(seed)
    user = rng.integers(1000, size=ROWS)
    return draw_impressions(*world, user, np.array(mix), rng, **arguments)


def test_values_are_in_their_ranges_and_times_in_order(world):
    seen = _draw(world)
    assert (np.diff(seen.second) >= 0).all()
    assert seen.second.min() >= 0 and seen.second.max() < 86_400
    assert set(np.unique(seen.hour)) == set(range(24))
    assert seen.position.min() == 1 and seen.position.max() == POSITIONS
    assert seen.item.min() >= 0 and seen.item.max() < 300
    assert seen.discount.min() == 0 and seen.discount.max() == 0.5
    assert np.mean(seen.discount == 0) == pytest.approx(0.5, abs=0.02)


def test_domains_have_the_asked_shares(world):
    shares = np.bincount(_draw(world).domain, minlength=3) / ROWS
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.015)
    assert set(np.unique(_draw(world, (0.0, 1.0, 0.0)).domain)) == {1}
    assert set(np.unique(_draw(world, (0.5, 0.0, 0.5)).domain)) == {0, 2}


def test_a_day_in_parts_is_a_day(world):
    """Each part ends where the next one begins; the night is quiet and the evening is not."""
    parts = [_draw(world, part_of_day=ends) for ends in ((0, 0.25), (0.25, 0.5), (0.5, 1))]
    for before, after in zip(parts, parts[1:], strict=False):
        assert before.second.max() <= after.second.min()
    hours = np.bincount(_draw(world).hour, minlength=24)
    assert hours[20] > 5 * hours[3]


def test_the_first_places_are_seen_most(world):
    counts = np.bincount(_draw(world).position, minlength=POSITIONS + 1)[1:]
    assert counts[0] > 2 * counts[9] and counts[9] > counts[19] > 0


def test_most_use_the_device_that_is_theirs(world):
    seen = _draw(world)
    own = world[0].device[seen.user] == seen.device
    # Four of five, and a third of the others by chance.
    assert own.mean() == pytest.approx(0.8 + 0.2 / 3, abs=0.015)


def test_the_shop_ranks_by_taste_most_in_the_first_domain(world):
    users, items = world
    seen = _draw(world)
    taste = np.einsum("nk,nk->n", users.factors[seen.user], items.factors[seen.item])
    means = [taste[seen.domain == domain].mean() for domain in range(3)]
    assert means[0] > means[2] > means[1] > 0.1


def test_nobody_looks(world):
    rng = np.random.default_rng(0)
    seen = draw_impressions(*world, np.zeros(0, int), np.array([1.0, 0, 0]), rng)
    assert len(seen.item) == len(seen.second) == 0
