import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.impressions import Impressions, draw_impressions
from mtlx.pipeline.simulation.population import draw_items, draw_users
from mtlx.pipeline.simulation.preferences import RATES, WEIGHTS, Preferences
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS

ROWS = 40_000


@pytest.fixture(scope="module")
def world():
    """Users, items, impressions, histories and fitted preferences."""
    rng = np.random.default_rng(5)
    users, items = draw_users(2_000, rng), draw_items(500, rng)
    user = rng.integers(2_000, size=ROWS)
    seen = draw_impressions(users, items, user, np.array([0.5, 0.3, 0.2]), rng)
    histories = {task: BehaviourHistory(2_000, 10) for task in TASKS}
    for history in histories.values():
        history.append(rng.integers(2_000, size=8_000), rng.integers(500, size=8_000))
    preferences = Preferences(users, items, rng)
    preferences.fit_intercepts(seen, histories)
    return seen, histories, preferences


def test_intercepts_give_the_rates_of_each_domain(world):
    seen, histories, preferences = world
    truth = preferences.probabilities(seen, histories)
    for domain, name in enumerate(DOMAINS):
        rows = seen.domain == domain
        expected = truth.unconditional[rows].mean(axis=0)
        np.testing.assert_allclose(expected, np.cumprod(RATES[name]), rtol=1e-6)


def test_unconditional_is_the_product_along_the_chain(world):
    seen, histories, preferences = world
    truth = preferences.probabilities(seen, histories)
    np.testing.assert_array_equal(truth.unconditional[:, 0], truth.conditional[:, 0])
    np.testing.assert_allclose(truth.unconditional[:, 2], truth.conditional.prod(axis=1))


def test_a_click_without_the_position_is_the_mean_over_all_positions(world):
    """Over what the shop draws, whatever the position of the row itself."""
    seen, histories, preferences = world
    few = {name: value[:200] for name, value in vars(seen).items()}
    drawn = np.random.default_rng(8).random(100_000)
    positions, counts = np.unique(1 + (20 * drawn**1.5).astype(int), return_counts=True)
    assert len(positions) == 20
    total = np.zeros(200)
    for position, count in zip(positions, counts, strict=True):
        moved = Impressions(**{**few, "position": np.full(200, position)})
        truth = preferences.probabilities(moved, histories, 0.3)
        total += count / 100_000 * truth.conditional[:, 0]
    found = preferences.probabilities(Impressions(**few), histories, 0.3).click_without_position
    np.testing.assert_allclose(found, total, rtol=0.015)
    np.testing.assert_allclose(truth.click_without_position, found, rtol=1e-12)


def _importance(world, change):
    """Loss of AUC of the true probabilities when something is permuted, per task."""
    seen, histories, preferences = world
    labels = np.random.default_rng(1).random((ROWS, 3))
    truth = preferences.probabilities(seen, histories).conditional
    labels = labels < truth
    changed = preferences.probabilities(*change(seen, histories)).conditional
    return [
        roc_auc_score(labels[:, task], truth[:, task])
        - roc_auc_score(labels[:, task], changed[:, task])
        for task in range(len(TASKS))
    ]


def test_importance_diverges_between_the_tasks(world):
    order = np.random.default_rng(2).permutation(ROWS)

    def permuted(field):
        return lambda seen, histories: (
            dataclasses.replace(seen, **{field: getattr(seen, field)[order]}),
            histories,
        )

    position, discount = (_importance(world, permuted(field)) for field in ("position", "discount"))
    assert position[0] > 0.02
    assert position[1] == position[2] == 0
    assert discount[1] > 3 * max(discount[0], discount[2], 0.005)


@pytest.mark.parametrize(("history", "task"), [("click", 0), ("add_to_cart", 1), ("purchase", 2)])
def test_each_behaviour_sequence_matters_most_for_its_own_task(world, history, task):
    order = np.random.default_rng(3).permutation(2_000)

    def shuffled(seen, histories):
        other = BehaviourHistory(2_000, 10)
        other.items = histories[history].items[order]
        return seen, {**histories, history: other}

    importance = _importance(world, shuffled)
    assert importance[task] > 0.004
    assert np.argmax(importance) == task


def test_every_term_has_a_weight_and_a_value(world):
    seen, histories, preferences = world
    values = preferences._feature_terms(seen) | preferences._cross_terms(seen)
    values |= preferences._history_terms(seen, histories)
    assert set(values) == set(WEIGHTS)
    assert all(value.std() > 0.1 for value in values.values())
