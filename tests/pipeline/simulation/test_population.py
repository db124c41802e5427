"""Users and items: in their ranges, repeatable, and drawn in proportion to what they weigh."""

import numpy as np
import pytest

from mtlx.pipeline.simulation.population import (
    AGE_GROUPS,
    BRANDS,
    CATEGORIES,
    CITIES,
    DEVICES,
    GENDERS,
    SEGMENTS,
    draw_items,
    draw_users,
    standardize,
)


@pytest.fixture(scope="module")
def users():
    return draw_users(20_000, np.random.default_rng(1))


@pytest.fixture(scope="module")
def items():
    return draw_items(5_000, np.random.default_rng(1))


def test_indices_fit_what_they_point_into(users, items):
    for index, names in (
        (users.gender, GENDERS), (users.city, CITIES), (users.segment, SEGMENTS),
        (users.device, DEVICES), (items.category, CATEGORIES), (users.age_group, range(AGE_GROUPS)),
        (items.brand, range(BRANDS)),
    ):  # fmt: skip
        assert set(np.unique(index)) == set(range(len(names)))


def test_names_are_different_and_sort_as_they_are_numbered(users, items):
    for names, prefix in ((users.names.to_pylist(), "u"), (items.names.to_pylist(), "i")):
        assert names == sorted(set(names))
        assert all(name.startswith(prefix) for name in names)
    assert draw_users(1, np.random.default_rng(0)).names.to_pylist() == ["u1"]


def test_ages_are_those_of_people_and_groups_go_up_with_them(users):
    assert users.age.min() >= 16 and users.age.max() <= 80
    order = np.argsort(users.age, kind="stable")
    assert (np.diff(users.age_group[order]) >= 0).all()
    assert 0.03 < 1 - users.age_known.mean() < 0.05


def test_users_are_drawn_by_the_square_root_of_their_activity(users):
    share = np.diff(users.cumulative_share, prepend=0.0)
    assert share.sum() == pytest.approx(1.0) and (share > 0).all()
    assert share / share[0] == pytest.approx(np.sqrt(users.activity / users.activity[0]))
    assert users.activity.min() >= 1


def test_few_items_make_most_of_the_views(items):
    share = np.sort(np.diff(items.cumulative_share, prepend=0.0))[::-1]
    assert share[:500].sum() > 0.4 and share[-500:].sum() < 0.05
    assert items.popularity.min() >= 10
    # What the log shows of it has the order that items are drawn by.
    order = np.argsort(np.diff(items.cumulative_share, prepend=0.0))
    assert (np.diff(items.popularity[order]) >= 0).all()


def test_prices_and_ratings_are_possible_ones(items):
    assert items.price.min() > 0 and np.allclose(items.price * 100, np.round(items.price * 100))
    assert np.mean(items.price) > 1.1 * np.median(items.price)  # skewed
    assert items.rating.min() >= 1 and items.rating.max() <= 5
    assert np.corrcoef(items.rating, items.quality)[0, 1] > 0.3


def test_a_brand_sells_in_three_categories_at_most(items):
    for brand in range(BRANDS):
        assert len(np.unique(items.category[items.brand == brand])) <= 3


def test_features_tell_of_tastes(users, items):
    """Within a segment, or a category, tastes are closer than among all."""
    for group, factors in ((users.segment, users.factors), (items.category, items.factors)):
        within = np.mean([factors[group == g].var(axis=0).sum() for g in np.unique(group)])
        assert within < 0.9 * factors.var(axis=0).sum()


def test_one_seed_gives_the_same_users_and_another_others():
    one, same, other = (draw_users(50, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one.factors == same.factors).all() and (one.age == same.age).all()
    assert (one.factors != other.factors).any()


def test_standardized_values():
    found = standardize(np.array([1.0, 2.0, 6.0]))
    assert found.mean() == pytest.approx(0) and found.std() == pytest.approx(1)
    assert standardize(np.full(3, 7.0)).tolist() == [0, 0, 0]
