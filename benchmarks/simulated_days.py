"""What drift costs: true scores of the first day's preferences on later days' impressions.

    python -m benchmarks.simulated_days

Nothing but preferences changes; each line is a drift and a seed, with the AUC of clicks that the
day's own true probabilities reach, and that of the first day's, on days 2, 8 and 15.
"""

import argparse

import numpy as np
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.simulation.actions import act, visits
from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.days.settings import DailySettings
from mtlx.pipeline.simulation.days.shop import Shop
from mtlx.pipeline.simulation.impressions import Impressions
from mtlx.pipeline.simulation.preferences import Preferences
from mtlx.pipeline.simulation.settings import TASKS

DRIFTS, SEEDS, DAYS = (0.0, 0.1, 0.2, 0.3), (1, 2, 3), (2, 8, 15)


def main() -> None:
    """Prints a line per drift and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="impressions of a line")
    rows = parser.parse_args().rows
    print("drift  seed  " + "  ".join(f"day {day:2d}: own, first's" for day in DAYS))
    for drift in DRIFTS:
        for seed in SEEDS:
            print(f"{drift:5.1f}  {seed:4d}  " + "  ".join(_of_days(drift, seed, rows)), flush=True)


def _of_days(drift: float, seed: int, rows: int) -> list[str]:
    shop = Shop(DailySettings(drift=drift, seed=seed, new_items=0.0, new_users=0.0))
    rng = np.random.default_rng(seed)
    none = {task: BehaviourHistory(len(shop.users.age), 1) for task in TASKS}
    seen = visits(shop.users, shop.items, shop.mix, rows, rng)
    preferences = Preferences(shop.users, shop.items, rng)
    preferences.fit_intercepts(seen, none)
    first, found = _clicks(preferences, shop, seen, none), []
    while shop.day < max(DAYS):
        shop.next_day()
        if shop.day in DAYS:
            own = _clicks(preferences, shop, seen, none)
            labels = act(own[:, np.newaxis], rng)[:, 0]
            aucs = (roc_auc_score(labels, scores) for scores in (own, first))
            found.append("        {:.3f}, {:.3f}".format(*aucs))
    return found


def _clicks(
    preferences: Preferences, shop: Shop, seen: Impressions, none: dict[str, BehaviourHistory]
) -> np.ndarray:
    """True probabilities of a click on a day, ``(n,)``."""
    of_day = preferences.of_day(shop.users, shop.items, shop.tables)
    return of_day.probabilities(seen, none).conditional[:, 0]


if __name__ == "__main__":
    main()
