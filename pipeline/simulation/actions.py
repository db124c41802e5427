"""Users look, act, and are remembered: what one day of every simulation is made of."""

import numpy as np

from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.impressions import Impressions, draw_impressions
from mtlx.pipeline.simulation.population import Items, Users
from mtlx.pipeline.simulation.preferences import Preferences
from mtlx.pipeline.simulation.settings import TASKS

#: Rows that are in memory at a time; part of what the rows are, hence no setting.
CHUNK = 65_536

_PRIOR_CLICKS = 12.0

#: Users, items and labels of the rows with an action, in the order of time.
Actions = tuple[np.ndarray, np.ndarray, np.ndarray]


def visits(
    users: Users,
    items: Items,
    domain_mix: np.ndarray,
    count: int,
    rng: np.random.Generator,
    part_of_day: tuple[float, float] = (0.0, 1.0),
) -> Impressions:
    """Impressions on users who come as often as they are active.

    Args:
        users: all users.
        items: all items.
        domain_mix: ``(D,)`` shares.
        count: number of impressions.
        rng: source of randomness.
        part_of_day: as for `draw_impressions`.
    """
    user = np.searchsorted(users.cumulative_share, rng.random(count), side="right")
    user = np.minimum(user, len(users.activity) - 1)
    return draw_impressions(users, items, user, domain_mix, rng, part_of_day)


def act(conditional: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws labels ``(n, T)``; no action without the one before it."""
    return np.cumprod(rng.random(conditional.shape) < conditional, axis=1)


def acted(seen: Impressions, labels: np.ndarray) -> Actions:
    """Users, items and labels of the rows with an action, which are few."""
    rows = labels.any(axis=1)
    return seen.user[rows], seen.item[rows], labels[rows]


def remember(histories: dict[str, BehaviourHistory], past: list[Actions]) -> None:
    """Appends actions, in the order of time, to the histories of each task."""
    users, items, labels = (np.concatenate(parts) for parts in zip(*past, strict=True))
    for index, task in enumerate(TASKS):
        done = labels[:, index] == 1
        histories[task].append(users[done], items[done])


def live_before_the_first_day(
    preferences: Preferences,
    users: Users,
    items: Items,
    domain_mix: np.ndarray,
    histories: dict[str, BehaviourHistory],
    rng: np.random.Generator,
) -> None:
    """Gives users a past: clicks on what they like, some carts and purchases of them.

    Args:
        preferences: with intercepts.
        users: all users.
        items: all items.
        domain_mix: ``(D,)`` shares.
        histories: empty ones, which are filled.
        rng: source of randomness.
    """
    eagerness = np.sqrt(users.activity / users.activity.mean())
    clicks = rng.poisson(_PRIOR_CLICKS * eagerness)
    users_at_a_time = max(1, CHUNK // int(_PRIOR_CLICKS))
    empty = {task: BehaviourHistory(len(clicks), 1) for task in TASKS}
    for first in range(0, len(clicks), users_at_a_time):
        some = np.arange(first, min(first + users_at_a_time, len(clicks)))
        user = np.repeat(some, clicks[some])
        seen = draw_impressions(users, items, user, domain_mix, rng)
        conditional = preferences.probabilities(seen, empty).conditional.copy()
        conditional[:, 0] = 1.0  # these impressions are the ones that were clicked
        remember(histories, [acted(seen, act(conditional, rng))])
