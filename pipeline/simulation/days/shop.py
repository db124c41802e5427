"""Who and what is there on a day, and what they like then."""

import dataclasses
import math

import numpy as np
import pyarrow as pa

from mtlx.pipeline.simulation.days.settings import DailySettings
from mtlx.pipeline.simulation.population import (
    CATEGORIES,
    Items,
    Users,
    cumulative_share,
    draw_items_and_assortment,
    draw_users_and_leanings,
)
from mtlx.pipeline.simulation.preferences import Tables, draw_table
from mtlx.pipeline.simulation.settings import DOMAINS

# Streams of random numbers that never meet, whatever the number of rows.
_USERS, _ITEMS, _NIGHTS, _CROSSES = range(4)

#: Digits of a name's number, so that it does not depend on how many there will be.
_DIGITS = 7


class Shop:
    """The population of one day, from the first day on.

    Everybody who was ever there keeps an index: histories hold items that are no more on sale.
    Who is away has a share of 0.

    A day's random numbers depend on the seed and the day alone, so that a day is the same
    whichever days follow.

    Args:
        settings: of the simulation.

    Attributes:
        day: counted from 1.
        users: all users up to now.
        items: all items up to now.
        tables: the crosses of the preferences.
        leisure: ``(C, T)`` how much a category's weekend differs; it stays.
        mix: ``(D,)`` shares of the domains.
        present_users: ``(U,)`` indices of the users who are there, in places that they keep.
        items_on_sale: likewise ``(I,)``; the place decides how much an item is seen.
    """

    def __init__(self, settings: DailySettings) -> None:
        self._settings, self.day = settings, 1
        users, self._leanings = draw_users_and_leanings(settings.number_of_users, self._rng(_USERS))
        items, self._assortment = draw_items_and_assortment(
            settings.number_of_items, self._rng(_ITEMS)
        )
        self.users = dataclasses.replace(users, names=_names("u", 0, settings.number_of_users))
        self.items = dataclasses.replace(items, names=_names("i", 0, settings.number_of_items))
        rng = self._rng(_CROSSES)
        self.tables = Tables.draw(rng)
        self.leisure = draw_table(rng, len(CATEGORIES), 1)[:, 0]
        self.mix = np.array([settings.domain_mix[name] for name in DOMAINS])
        self.present_users = np.arange(settings.number_of_users)
        self.items_on_sale = np.arange(settings.number_of_items)
        self._sight = _weights(items.cumulative_share)

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, *stream])

    def next_day(self) -> None:
        """Lets a night pass: some leave, others come, and preferences wander."""
        self.day += 1
        rng = self._rng(_NIGHTS, self.day)
        self._wander(rng)
        self._exchange_items(rng)
        self._exchange_users(rng)

    def _wander(self, rng: np.random.Generator) -> None:
        """One step of every taste, opinion and cross."""
        rate = self._settings.drift
        if rate == 0.0:
            return

        def step(values: np.ndarray) -> np.ndarray:
            return _step(values, rng.normal(size=values.shape), rate)

        tables = {
            field.name: _step(table, draw_table(rng, *table.shape[:2]), rate)
            for field in dataclasses.fields(self.tables)
            for table in [getattr(self.tables, field.name)]
        }
        self.tables = Tables(**tables)
        lean, users = self._leanings, self.users
        self._leanings = dataclasses.replace(
            lean,
            by_segment=step(lean.by_segment),
            by_gender=step(lean.by_gender),
            by_age=step(lean.by_age),
        )
        own = step(users.own_factors)
        factors = self._leanings.factors(users.segment, users.gender, users.age, own)
        self.users = dataclasses.replace(users, own_factors=own, factors=factors)
        self.items = dataclasses.replace(self.items, quality=step(self.items.quality))

    def _exchange_items(self, rng: np.random.Generator) -> None:
        """Puts new items into some of the places."""
        places = _some(len(self.items_on_sale), self._settings.new_items, rng)
        if not len(places):
            return
        known = len(self.items.price)
        new, _ = draw_items_and_assortment(len(places), rng, self._assortment)
        before = self.items_on_sale[places]
        self.items_on_sale = self.items_on_sale.copy()
        self.items_on_sale[places] = known + np.arange(len(places))
        new = dataclasses.replace(
            new,
            names=_names("i", known, len(places)),
            popularity=self.items.popularity[before],
        )
        items = Items(**_joined(self.items, new))
        share = np.zeros(len(items.price))
        share[self.items_on_sale] = self._sight
        self.items = dataclasses.replace(items, cumulative_share=cumulative_share(share))

    def _exchange_users(self, rng: np.random.Generator) -> None:
        """Lets new users take some of the places."""
        places = _some(len(self.present_users), self._settings.new_users, rng)
        if not len(places):
            return
        known = len(self.users.age)
        new, _ = draw_users_and_leanings(len(places), rng, self._leanings)
        self.present_users = self.present_users.copy()
        self.present_users[places] = known + np.arange(len(places))
        new = dataclasses.replace(new, names=_names("u", known, len(places)))
        users = Users(**_joined(self.users, new))
        share = np.zeros(len(users.age))
        present = self.present_users
        share[present] = np.sqrt(users.activity[present])
        self.users = dataclasses.replace(users, cumulative_share=cumulative_share(share))


def _step(values: np.ndarray, fresh: np.ndarray, rate: float) -> np.ndarray:
    """A step of a walk that goes nowhere in the long run: its deviation stays what it was."""
    return math.sqrt(1.0 - rate**2) * values + rate * fresh


def _some(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """A share of ``count`` places, at random; what is left of a whole place is drawn for."""
    whole, rest = divmod(share * count, 1.0)
    number = int(whole) + int(rng.random() < rest)
    return np.sort(rng.choice(count, number, replace=False))


def _joined(old: Users | Items, new: Users | Items) -> dict[str, np.ndarray | pa.Array]:
    """Every attribute of both, the old ones first."""
    both = {}
    for field in dataclasses.fields(old):
        parts = [getattr(old, field.name), getattr(new, field.name)]
        both[field.name] = (
            pa.concat_arrays(parts) if isinstance(parts[0], pa.Array) else np.concatenate(parts)
        )
    return both


def _names(prefix: str, known: int, count: int) -> pa.Array:
    numbers = range(known + 1, known + count + 1)
    return pa.array([f"{prefix}{number:0{_DIGITS}d}" for number in numbers], pa.string())


def _weights(share: np.ndarray) -> np.ndarray:
    """What a running sum was made of."""
    return np.diff(share, prepend=0.0)
