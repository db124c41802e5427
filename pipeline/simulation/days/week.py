"""The weekly rhythm: how many come on which weekday, and what they are in the mood for."""

import numpy as np

from mtlx.pipeline.simulation.settings import TASKS

#: In the order of `WEEKDAYS.index`; day 1 of every simulation is a Monday.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: Traffic of a weekday, in shares of an average day's; they add up to 7.
_TRAFFIC = (0.90, 0.88, 0.92, 0.95, 1.05, 1.18, 1.12)

#: Log odds of click, of a cart after a click, and of a purchase after a cart: many look around at
#: weekends, and buy on Mondays what they have put into the cart.
_MOOD = np.array(
    [
        (-0.05, 0.00, 0.20),
        (-0.05, 0.00, 0.05),
        (-0.05, 0.00, 0.00),
        (0.00, 0.00, 0.00),
        (0.00, -0.05, -0.05),
        (0.08, 0.05, -0.10),
        (0.07, 0.00, -0.10),
    ]
)

#: Weight of a category's own rhythm in the log odds of each task, as in `preferences.WEIGHTS`.
_WEIGHT = np.array([0.3, 0.2, 0.15])

#: How much of a category's own rhythm a weekday has: garden and sports have their weekend, office
#: goods don't. They add up to 0 over the week.
_LEISURE = np.array([-0.5, -0.5, -0.5, -0.5, 0.0, 1.0, 1.0])


def weekday_index(day: int) -> int:
    """Index into `WEEKDAYS` of a day, counted from 1."""
    return (day - 1) % len(WEEKDAYS)


def traffic(day: int, strength: float) -> float:
    """A day's traffic in shares of an average day's; none is below a tenth.

    Args:
        day: counted from 1.
        strength: of the rhythm; 0 makes all days alike.
    """
    return max(1.0 + strength * (_TRAFFIC[weekday_index(day)] - 1.0), 0.1)


def mood(day: int, strength: float, leisure: np.ndarray, category: np.ndarray) -> np.ndarray:
    """What the weekday adds to the log odds, ``(n, T)``.

    Args:
        day: counted from 1.
        strength: of the rhythm.
        leisure: ``(C, T)`` of every category, how much its weekend differs, deviation 1.
        category: ``(n,)`` of the impressions' items.
    """
    weekday = weekday_index(day)
    own = _LEISURE[weekday] * _WEIGHT * leisure[category]
    return strength * (_MOOD[weekday] + own).reshape(-1, len(TASKS))
