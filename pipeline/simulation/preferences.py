"""What makes users click, put in the cart and buy: the true probabilities of the simulation."""

import copy
import dataclasses

import numpy as np

from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.impressions import POSITION_SHARES, Impressions
from mtlx.pipeline.simulation.population import (
    AGE_GROUPS,
    BRANDS,
    CATEGORIES,
    CITIES,
    DEVICES,
    GENDERS,
    Items,
    Users,
    scale_of,
    standardize,
)
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS

#: Weight of each term in the log odds of click, of a cart after a click, and of a purchase after
#: a cart. The columns differ on purpose: what matters for one task hardly matters for another.
WEIGHTS: dict[str, tuple[float, float, float]] = {
    "taste": (0.55, 0.35, 0.2),
    "position": (-0.45, 0.0, 0.0),
    "popularity": (0.2, -0.1, -0.2),
    "quality": (0.25, 0.35, 0.15),
    "rating": (0.05, 0.4, 0.1),
    "price": (0.05, -0.2, -0.5),
    "discount": (0.1, 0.55, 0.1),
    "price_for_segment": (0.2, 0.3, 0.65),
    "discount_for_segment": (0.1, 0.45, 0.15),
    "category_for_age": (0.35, 0.2, 0.1),
    "category_for_gender": (0.4, 0.15, 0.1),
    "category_for_domain": (0.25, 0.2, 0.15),
    "brand_for_city": (0.2, 0.3, 0.3),
    "device_at_daypart": (0.15, 0.1, 0.4),
    "activity": (0.05, 0.1, 0.55),
    "clicked_category": (0.35, 0.1, 0.0),
    "carted_category": (0.1, 0.45, 0.15),
    "purchased_category": (0.05, 0.1, 0.6),
    "purchased_brand": (0.1, 0.1, 0.5),
    "user": (0.15, 0.15, 0.15),
}

#: What a domain changes: factors on the weights of some terms.
EMPHASIS: dict[str, dict[str, float]] = {
    "home_feed": {"taste": 1.25, "clicked_category": 1.25, "position": 0.7, "popularity": 1.3},
    "search": {"taste": 0.6, "clicked_category": 0.6, "position": 1.4, "price": 1.4, "rating": 1.3},
    "product_page": {"discount": 1.4, "carted_category": 1.4, "popularity": 0.4, "quality": 1.5},
}

#: Shares to which the intercepts are fitted: click of impressions, add_to_cart of clicks,
#: purchase of carts.
RATES: dict[str, tuple[float, float, float]] = {
    "home_feed": (0.105, 0.19, 0.31),
    "search": (0.16, 0.26, 0.38),
    "product_page": (0.125, 0.24, 0.36),
}

_DAYPARTS = 4


@dataclasses.dataclass(frozen=True)
class Probabilities:
    """True probabilities.

    Attributes:
        conditional: ``(n, T)``: of click; of add_to_cart given a click; of purchase given
            add_to_cart.
        click_without_position: ``(n,)``, of click for whom knows all but the position: the mean
            over where the shop may show the row. The other actions don't depend on it.
    """

    conditional: np.ndarray
    click_without_position: np.ndarray

    @property
    def unconditional(self) -> np.ndarray:
        """Probability of each action on an impression, ``(n, T)``."""
        return np.cumprod(self.conditional, axis=1)


@dataclasses.dataclass(frozen=True)
class Tables:
    """Crosses of two features, ``(rows, columns, T)`` each, as `draw_table` draws them."""

    category_for_age: np.ndarray
    category_for_gender: np.ndarray
    category_for_domain: np.ndarray
    brand_for_city: np.ndarray
    device_at_daypart: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Tables":
        """Draws all of them."""
        return cls(
            category_for_age=draw_table(rng, AGE_GROUPS, len(CATEGORIES)),
            category_for_gender=draw_table(rng, len(GENDERS), len(CATEGORIES)),
            category_for_domain=draw_table(rng, len(DOMAINS), len(CATEGORIES)),
            brand_for_city=draw_table(rng, len(CITIES), BRANDS),
            device_at_daypart=draw_table(rng, len(DEVICES), _DAYPARTS),
        )


class Preferences:
    """Log odds as a sum of terms in features, crosses of two features and histories.

    The log odds of task t in domain d are ``b_dt + sum_k e_dk w_kt f_kt``: intercept, the
    domain's emphasis, the task's weight and the term's value. Crosses are tables of normal
    values, half shared by the tasks and half their own, so that tasks help and hinder each other.

    Args:
        users: all users.
        items: all items.
        rng: source of the tables.

    Attributes:
        tables: the crosses.
        intercepts: ``(D, T)``, as `fit_intercepts` left them.
    """

    def __init__(self, users: Users, items: Items, rng: np.random.Generator):
        self._taste = 0.5 + rng.random((users.factors.shape[1], len(TASKS)))
        # Signs are given, so that a reader of a report recognises bargain hunters.
        self._price_for_segment = np.array([-1.4, 1.4, 0.3, 0.6, -0.9])
        self._discount_for_segment = np.array([1.6, -1.0, 0.2, -0.3, -0.5])
        self._scales = {name: scale_of(raw) for name, raw in _raw_terms(users, items).items()}
        self.intercepts = np.zeros((len(DOMAINS), len(TASKS)))
        self._take(users, items, Tables.draw(rng))

    def of_day(self, users: Users, items: Items, tables: Tables) -> "Preferences":
        """These preferences for another population, or with other crosses.

        What a number's term is measured by stays that of the first population.
        """
        other = copy.copy(self)
        other._take(users, items, tables)
        return other

    def _take(self, users: Users, items: Items, tables: Tables) -> None:
        self._users, self._items, self.tables = users, items, tables
        self._numbers = {
            name: standardize(raw, self._scales[name])
            for name, raw in _raw_terms(users, items).items()
        }
        # The last entry is what an empty place of a history, index -1, looks up.
        self._category_of = np.append(items.category, -1)
        self._brand_of = np.append(items.brand, -1)

    def probabilities(
        self,
        seen: Impressions,
        histories: dict[str, BehaviourHistory],
        shift: np.ndarray | float = 0.0,
    ) -> Probabilities:
        """True probabilities of impressions, given histories of clicks, carts and purchases.

        Args:
            seen: n impressions.
            histories: per task.
            shift: ``(n, T)`` that is added to the log odds.
        """
        log_odds = self._terms(seen, histories) + self.intercepts[seen.domain] + shift
        return Probabilities(_sigmoid(log_odds), _over_positions(log_odds[:, 0], seen))

    def fit_intercepts(self, seen: Impressions, histories: dict[str, BehaviourHistory]) -> None:
        """Sets the intercepts so that the expected rates on these impressions are `RATES`."""
        terms = self._terms(seen, histories)
        for domain, name in enumerate(DOMAINS):
            of_domain = terms[seen.domain == domain]
            reached = np.ones(len(of_domain))
            for task in range(len(TASKS) if len(of_domain) else 0):
                intercept = _intercept(of_domain[:, task], reached, RATES[name][task])
                self.intercepts[domain, task] = intercept
                reached = reached * _sigmoid(of_domain[:, task] + intercept)

    def _terms(self, seen: Impressions, histories: dict[str, BehaviourHistory]) -> np.ndarray:
        """Weighted sum of all terms, ``(n, T)``."""
        total = np.zeros((len(seen.user), len(TASKS)))
        values = self._feature_terms(seen) | self._cross_terms(seen)
        values |= self._history_terms(seen, histories)
        for name, value in values.items():
            total += _weight(name, seen) * (value if value.ndim == 2 else value[:, np.newaxis])
        return total

    def _feature_terms(self, seen: Impressions) -> dict[str, np.ndarray]:
        user, item = seen.user, seen.item
        matched = self._users.factors[user] * self._items.factors[item]  # (n, K)
        return {
            "taste": 0.35 * matched @ self._taste,
            "position": _of_position(seen.position),
            "popularity": self._numbers["popularity"][item],
            "quality": self._items.quality[item],
            "rating": self._numbers["rating"][item],
            "price": self._numbers["price"][item],
            "discount": 5.0 * seen.discount,
            "activity": self._numbers["activity"][user],
            "user": self._users.bias[user],
        }

    def _cross_terms(self, seen: Impressions) -> dict[str, np.ndarray]:
        user, item, users, tables = seen.user, seen.item, self._users, self.tables
        segment, category = users.segment[user], self._items.category[item]
        daypart = seen.hour * _DAYPARTS // 24
        return {
            "price_for_segment": self._price_for_segment[segment] * self._numbers["price"][item],
            "discount_for_segment": self._discount_for_segment[segment] * 5.0 * seen.discount,
            "category_for_age": tables.category_for_age[users.age_group[user], category],
            "category_for_gender": tables.category_for_gender[users.gender[user], category],
            "category_for_domain": tables.category_for_domain[seen.domain, category],
            "brand_for_city": tables.brand_for_city[users.city[user], self._items.brand[item]],
            "device_at_daypart": tables.device_at_daypart[seen.device, daypart],
        }

    def _history_terms(
        self, seen: Impressions, histories: dict[str, BehaviourHistory]
    ) -> dict[str, np.ndarray]:
        category = self._items.category[seen.item][:, np.newaxis]
        brand = self._items.brand[seen.item][:, np.newaxis]
        clicked, carted, bought = (histories[task].items[seen.user] for task in TASKS)  # (n, L)
        matches = (self._category_of[clicked] == category).sum(axis=1)
        length = np.maximum((clicked >= 0).sum(axis=1), 1)
        return {
            "clicked_category": np.minimum(4.0 * matches / length, 3.0),
            "carted_category": np.minimum((self._category_of[carted] == category).sum(axis=1), 3),
            "purchased_category": np.minimum(
                (self._category_of[bought] == category).sum(axis=1), 2
            ),
            "purchased_brand": (self._brand_of[bought] == brand).any(axis=1).astype(float),
        }


def _weight(term: str, seen: Impressions) -> np.ndarray:
    """A term's weight in the log odds of each task, by domain, ``(n, T)``."""
    emphasis = np.array([EMPHASIS[domain].get(term, 1.0) for domain in DOMAINS])
    return emphasis[seen.domain, np.newaxis] * np.array(WEIGHTS[term])


def _of_position(position: np.ndarray) -> np.ndarray:
    return np.log2(position) - 3.0


def _over_positions(log_odds: np.ndarray, seen: Impressions) -> np.ndarray:
    """Mean probability of a click over all positions, ``(n,)``, given the log odds at the row's."""
    weight = _weight("position", seen)[:, 0]
    log_odds = log_odds - weight * _of_position(seen.position)
    total = np.zeros(len(log_odds))
    for index, share in enumerate(POSITION_SHARES):
        total += share * _sigmoid(log_odds + weight * _of_position(np.array(1 + index)))
    return total


def _raw_terms(users: Users, items: Items) -> dict[str, np.ndarray]:
    """Numbers of users and items that are terms once they are standardised."""
    return {
        "price": np.log(items.price),
        "popularity": np.log(items.popularity),
        "rating": items.rating,
        "activity": np.log(users.activity),
    }


def draw_table(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Cross of two features, ``(rows, columns, T)``, deviation 1."""
    shared = rng.normal(size=(rows, columns, 1))
    own = rng.normal(size=(rows, columns, len(TASKS)))
    return np.sqrt(0.5) * (shared + own)


def _sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-log_odds))


def _intercept(terms: np.ndarray, weights: np.ndarray, rate: float) -> float:
    """Intercept at which the weighted mean probability is the rate, by bisection."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.average(_sigmoid(terms + middle), weights=weights) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2
