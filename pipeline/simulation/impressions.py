"""Impressions: which user sees which item where, when and at what discount."""

import dataclasses

import numpy as np

from mtlx.pipeline.simulation.population import DEVICES, Items, Users

#: Midnight before day 1 (2024-01-01), in seconds since 1970, UTC.
FIRST_MIDNIGHT = 1_704_067_200
SECONDS_PER_DAY = 86_400
POSITIONS = 20

_TOWARDS_THE_TOP = 1.5

#: Share of the impressions at each position from 1 on, whoever looks at whatever, ``(20,)``.
POSITION_SHARES = np.diff((np.arange(POSITIONS + 1) / POSITIONS) ** (1 / _TOWARDS_THE_TOP))

#: How strongly the shop ranks by taste in each domain (in the order of `DOMAINS`).
_PERSONALISATION = np.array([1.0, 0.5, 0.8])
_CANDIDATES = 4
_OTHER_DEVICE_SHARE = 0.2
_HOURLY_TRAFFIC = np.array(
    [2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 7, 8, 7, 6, 6, 6, 7, 9, 11, 12, 11, 8, 4], float
)


@dataclasses.dataclass(frozen=True)
class Impressions:
    """Impressions in the order of time; every attribute is ``(n,)``.

    Attributes:
        user, item: indices.
        domain, device: indices into `DOMAINS` and `DEVICES`.
        second: since midnight.
        position: 1 is the first place on the page.
        discount: share of the price that is taken off.
    """

    user: np.ndarray
    item: np.ndarray
    domain: np.ndarray
    device: np.ndarray
    second: np.ndarray
    position: np.ndarray
    discount: np.ndarray

    @property
    def hour(self) -> np.ndarray:
        """Hour of the day, 0 to 23."""
        return self.second // 3600


def draw_impressions(
    users: Users,
    items: Items,
    user: np.ndarray,
    domain_mix: np.ndarray,
    rng: np.random.Generator,
    part_of_day: tuple[float, float] = (0.0, 1.0),
) -> Impressions:
    """Draws one impression for each given user.

    Args:
        users: all users.
        items: all items.
        user: ``(n,)`` indices of the users who look.
        domain_mix: ``(D,)`` shares.
        rng: source of randomness.
        part_of_day: share of the day's traffic before the first and after the last impression,
            so that a day can be drawn in chunks that follow each other in time.
    """
    count = len(user)
    domain = np.searchsorted(np.cumsum(domain_mix)[:-1], rng.random(count), side="right")
    traffic = np.sort(rng.uniform(*part_of_day, count))
    cumulative = np.concatenate([[0.0], np.cumsum(_HOURLY_TRAFFIC)]) / _HOURLY_TRAFFIC.sum()
    second = np.interp(traffic, cumulative, np.arange(25) * 3600.0).astype(np.int64)
    other = rng.random(count) < _OTHER_DEVICE_SHARE
    discount = rng.integers(1, 11, count) * 0.05
    return Impressions(
        user=user,
        item=_ranked_items(users, items, user, _PERSONALISATION[domain], rng),
        domain=domain,
        device=np.where(other, rng.integers(len(DEVICES), size=count), users.device[user]),
        second=np.minimum(second, SECONDS_PER_DAY - 1),
        position=1 + (POSITIONS * rng.random(count) ** _TOWARDS_THE_TOP).astype(np.int64),
        discount=np.where(rng.random(count) < 0.5, 0.0, np.round(discount, 2)),
    )


def _ranked_items(
    users: Users, items: Items, user: np.ndarray, strength: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The shop's choice among a few popular items: a softmax over tastes, ``(n,)``."""
    drawn = rng.random((len(user), _CANDIDATES))
    candidates = np.searchsorted(items.cumulative_share, drawn, side="right")  # (n, C)
    candidates = np.minimum(candidates, len(items.price) - 1)
    taste = np.einsum("nk,nck->nc", users.factors[user], items.factors[candidates])
    score = strength[:, np.newaxis] * taste + rng.gumbel(size=candidates.shape)
    return candidates[np.arange(len(user)), score.argmax(axis=1)]
