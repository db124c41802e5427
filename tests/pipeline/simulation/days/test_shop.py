"""Who is there on a day, and how fast preferences wander."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.simulation.actions import act, visits
from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.days.settings import DailySettings
from mtlx.pipeline.simulation.days.shop import Shop
from mtlx.pipeline.simulation.preferences import Preferences
from mtlx.pipeline.simulation.settings import TASKS


def _shop(days, **settings):
    shop = Shop(DailySettings(rows_per_day=4_000, **settings))
    for _ in range(days - 1):
        shop.next_day()
    return shop


def test_a_step_keeps_the_deviation_and_the_correlation_that_was_asked_for():
    still = {"new_items": 0.0, "new_users": 0.0}
    first, later = (_shop(days, drift=0.3, **still) for days in (1, 6))
    for name in ("own_factors", "factors"):
        before, after = getattr(first.users, name).ravel(), getattr(later.users, name).ravel()
        assert np.corrcoef(before, after)[0, 1] == pytest.approx(0.91**2.5, abs=0.08)
        assert after.std() == pytest.approx(before.std(), rel=0.15)
    table, walked = first.tables.brand_for_city.ravel(), later.tables.brand_for_city.ravel()
    assert np.corrcoef(table, walked)[0, 1] == pytest.approx(0.91**2.5, abs=0.15)
    assert later.tables.brand_for_city.shape == first.tables.brand_for_city.shape


def test_without_drift_nothing_wanders():
    first, later = (_shop(days, drift=0.0) for days in (1, 6))
    count = len(first.users.age)
    np.testing.assert_array_equal(first.users.factors, later.users.factors[:count])
    np.testing.assert_array_equal(first.tables.brand_for_city, later.tables.brand_for_city)


def test_as_many_leave_as_come_and_names_stay():
    first, later = (_shop(days, new_items=0.1, new_users=0.05) for days in (1, 4))
    count = len(first.users.age)
    assert len(set(later.present_users)) == len(later.present_users) == count
    assert len(later.users.age) == pytest.approx(count * 1.15, abs=3)
    assert len(later.items.price) == pytest.approx(len(first.items.price) * 1.3, abs=3)
    assert later.users.names[:count].to_pylist() == first.users.names.to_pylist()
    assert len(set(later.items.names.to_pylist())) == len(later.items.names)
    away = np.setdiff1d(np.arange(len(later.users.age)), later.present_users)
    shares = np.diff(later.users.cumulative_share, prepend=0.0)
    assert len(away) and not shares[away].any() and (shares[later.present_users] > 0).all()


def test_what_is_away_is_never_seen():
    shop = _shop(3, new_items=0.3, new_users=0.3)
    seen = visits(shop.users, shop.items, shop.mix, 20_000, np.random.default_rng(1))
    assert set(seen.user) <= set(shop.present_users)
    assert set(seen.item) <= set(shop.items_on_sale)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("drift", "least", "most"), [(0.0, 0.0, 0.0), (0.2, 0.015, 0.06)])
def test_true_scores_of_the_first_day_lose_by_the_fortnight(seed, drift, least, most):
    """The same impressions under both days' preferences: only what wandered can tell them."""
    still = {"new_items": 0.0, "new_users": 0.0}
    first, later = (_shop(days, drift=drift, seed=seed, **still) for days in (1, 14))
    rng = np.random.default_rng(seed)
    none = {task: BehaviourHistory(len(first.users.age), 1) for task in TASKS}
    seen = visits(later.users, later.items, later.mix, 30_000, rng)
    preferences = Preferences(first.users, first.items, rng)
    preferences.fit_intercepts(seen, none)
    old, new = (
        preferences.of_day(shop.users, shop.items, shop.tables)
        .probabilities(seen, none)
        .conditional[:, 0]
        for shop in (first, later)
    )
    clicks = act(new[:, np.newaxis], rng)[:, 0]
    assert least <= roc_auc_score(clicks, new) - roc_auc_score(clicks, old) <= most
