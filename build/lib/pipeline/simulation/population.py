"""Users and items: what the log shows of them, and the latent traits that it does not show."""

import dataclasses

import numpy as np
import pyarrow as pa

GENDERS = ("f", "m")
CITIES = ("metropolis", "city", "town", "village")
SEGMENTS = ("bargain", "brand", "explorer", "loyal", "newcomer")
DEVICES = ("android", "ios", "web")
CATEGORIES = (
    "audio",
    "beauty",
    "books",
    "computers",
    "fashion",
    "garden",
    "grocery",
    "kitchen",
    "phones",
    "shoes",
    "sports",
    "toys",
)
BRANDS = 60
AGE_GROUPS = 6

_FACTORS = 8
_UNKNOWN_AGE_SHARE = 0.04
_YOUNGEST, _OLDEST = 16, 80


def standardize(values: np.ndarray) -> np.ndarray:
    """Centres values and scales them to a deviation of 1; constant ones become 0."""
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation else np.zeros_like(values)


@dataclasses.dataclass(frozen=True)
class Users:
    """Users, one entry each; ``(U,)`` unless said otherwise.

    Attributes:
        names: ids as text.
        factors: ``(U, 8)`` latent tastes; never in the log.
        bias: latent eagerness; never in the log.
        age: years; `age_known` says where the log has it.
        age_known: bool.
        gender, city, segment, device: index into the constants above; the device is the usual
            one of the user.
        activity: visits in the month before, at least 1; skewed.
        cumulative_share: to draw users in proportion to their activity.
    """

    names: pa.Array
    factors: np.ndarray
    bias: np.ndarray
    age: np.ndarray
    age_known: np.ndarray
    gender: np.ndarray
    city: np.ndarray
    segment: np.ndarray
    device: np.ndarray
    activity: np.ndarray
    cumulative_share: np.ndarray

    @property
    def age_group(self) -> np.ndarray:
        """Index of the age group, ``(U,)``."""
        return (self.age - _YOUNGEST) * AGE_GROUPS // (_OLDEST - _YOUNGEST + 1)


@dataclasses.dataclass(frozen=True)
class Items:
    """Items, one entry each; ``(I,)`` unless said otherwise.

    Attributes:
        names: ids as text.
        factors: ``(I, 8)`` latent character, close to that of the category.
        quality: latent; a model can learn it per item id.
        category, brand: index into the constants above.
        price: in the shop's currency; skewed.
        popularity: views in the week before; very skewed.
        rating: mean of its reviews, 1 to 5.
        cumulative_share: to draw items in proportion to their popularity.
    """

    names: pa.Array
    factors: np.ndarray
    quality: np.ndarray
    category: np.ndarray
    brand: np.ndarray
    price: np.ndarray
    popularity: np.ndarray
    rating: np.ndarray
    cumulative_share: np.ndarray


def draw_users(count: int, rng: np.random.Generator) -> Users:
    """Draws users; tastes lean on segment, gender and age, so that features tell of them."""
    segment = rng.choice(len(SEGMENTS), count, p=[0.28, 0.2, 0.22, 0.18, 0.12])
    gender = rng.integers(len(GENDERS), size=count)
    age = np.clip(rng.gamma(6.0, 4.0, count) + _YOUNGEST, _YOUNGEST, _OLDEST).astype(np.int64)
    by_segment = rng.normal(size=(len(SEGMENTS), _FACTORS))
    by_gender = rng.normal(size=(len(GENDERS), _FACTORS))
    by_age = rng.normal(size=_FACTORS)
    factors = (
        0.5 * by_segment[segment]
        + 0.3 * by_gender[gender]
        + 0.3 * standardize(age)[:, np.newaxis] * by_age
        + 0.8 * rng.normal(size=(count, _FACTORS))
    )
    activity = np.ceil(rng.lognormal(2.0, 0.9, count))
    return Users(
        names=_names("u", count),
        factors=factors,
        bias=rng.normal(size=count),
        age=age,
        age_known=rng.random(count) >= _UNKNOWN_AGE_SHARE,
        gender=gender,
        city=rng.choice(len(CITIES), count, p=[0.3, 0.35, 0.22, 0.13]),
        segment=segment,
        device=rng.choice(len(DEVICES), count, p=[0.5, 0.3, 0.2]),
        activity=activity,
        cumulative_share=_cumulative_share(np.sqrt(activity)),
    )


def draw_items(count: int, rng: np.random.Generator) -> Items:
    """Draws items; a brand sells in a few categories and has a price level of its own."""
    brand = rng.integers(BRANDS, size=count)
    categories_of_brand = rng.integers(len(CATEGORIES), size=(BRANDS, 3))
    category = categories_of_brand[brand, rng.integers(3, size=count)]
    level = rng.normal(3.2, 0.6, len(CATEGORIES))[category] + rng.normal(0, 0.35, BRANDS)[brand]
    popularity = (1.0 + rng.permutation(count)) ** -0.8
    centre = rng.normal(size=(len(CATEGORIES), _FACTORS))
    quality = rng.normal(size=count)
    return Items(
        names=_names("i", count),
        factors=0.8 * centre[category] + 0.5 * rng.normal(size=(count, _FACTORS)),
        quality=quality,
        category=category,
        brand=brand,
        price=np.round(np.exp(level + rng.normal(0, 0.4, count)), 2),
        popularity=np.ceil(popularity / popularity.min() * 10),
        rating=np.round(np.clip(4.0 + 0.2 * quality + rng.normal(0, 0.4, count), 1, 5), 1),
        cumulative_share=_cumulative_share(popularity),
    )


def _names(prefix: str, count: int) -> pa.Array:
    width = len(str(count))
    return pa.array([f"{prefix}{number:0{width}d}" for number in range(1, count + 1)])


def _cumulative_share(weights: np.ndarray) -> np.ndarray:
    cumulative = np.cumsum(weights)
    return cumulative / cumulative[-1]
