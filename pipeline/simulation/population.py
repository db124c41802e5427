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


def scale_of(values: np.ndarray) -> tuple[float, float]:
    """Mean and deviation."""
    return values.mean(), values.std()


def standardize(values: np.ndarray, scale: tuple[float, float] | None = None) -> np.ndarray:
    """Centres values and scales them to a deviation of 1; constant ones become 0.

    Args:
        values: any shape.
        scale: mean and deviation; those of the values if None.
    """
    mean, deviation = scale_of(values) if scale is None else scale
    return (values - mean) / deviation if deviation else np.zeros_like(values)


@dataclasses.dataclass(frozen=True)
class Users:
    """Users, one entry each; ``(U,)`` unless said otherwise.

    Attributes:
        names: ids as text.
        factors: ``(U, 8)`` latent tastes; never in the log.
        own_factors: ``(U, 8)`` what of them is the user's alone, before it is weighed.
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
    own_factors: np.ndarray
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


@dataclasses.dataclass(frozen=True)
class Leanings:
    """What users of one segment, gender or age have in common in their tastes.

    Attributes:
        by_segment: ``(5, 8)``.
        by_gender: ``(2, 8)``.
        by_age: ``(8,)``, per deviation of the age.
        age_scale: mean and deviation of the ages at first.
    """

    by_segment: np.ndarray
    by_gender: np.ndarray
    by_age: np.ndarray
    age_scale: tuple[float, float]

    @classmethod
    def draw(cls, age: np.ndarray, rng: np.random.Generator) -> "Leanings":
        """Draws those of a population of these ages ``(U,)``."""
        return cls(
            by_segment=rng.normal(size=(len(SEGMENTS), _FACTORS)),
            by_gender=rng.normal(size=(len(GENDERS), _FACTORS)),
            by_age=rng.normal(size=_FACTORS),
            age_scale=scale_of(age),
        )

    def factors(
        self, segment: np.ndarray, gender: np.ndarray, age: np.ndarray, own: np.ndarray
    ) -> np.ndarray:
        """Tastes ``(U, 8)`` of users, given what is theirs alone, ``(U, 8)``."""
        return (
            0.5 * self.by_segment[segment]
            + 0.3 * self.by_gender[gender]
            + 0.3 * standardize(age, self.age_scale)[:, np.newaxis] * self.by_age
            + 0.8 * own
        )


@dataclasses.dataclass(frozen=True)
class Assortment:
    """What items of one category or brand have in common.

    Attributes:
        categories_of_brand: ``(60, 3)``.
        category_level, brand_level: of the logarithm of the price, ``(12,)`` and ``(60,)``.
        centre: ``(12, 8)`` character of a category.
    """

    categories_of_brand: np.ndarray
    category_level: np.ndarray
    brand_level: np.ndarray
    centre: np.ndarray


def draw_users(count: int, rng: np.random.Generator) -> Users:
    """Draws users; tastes lean on segment, gender and age, so that features tell of them."""
    return draw_users_and_leanings(count, rng)[0]


def draw_users_and_leanings(
    count: int, rng: np.random.Generator, leanings: Leanings | None = None
) -> tuple[Users, Leanings]:
    """Draws users, and what they have in common unless it is given."""
    segment = rng.choice(len(SEGMENTS), count, p=[0.28, 0.2, 0.22, 0.18, 0.12])
    gender = rng.integers(len(GENDERS), size=count)
    age = np.clip(rng.gamma(6.0, 4.0, count) + _YOUNGEST, _YOUNGEST, _OLDEST).astype(np.int64)
    leanings = leanings or Leanings.draw(age, rng)
    own = rng.normal(size=(count, _FACTORS))
    activity = np.ceil(rng.lognormal(2.0, 0.9, count))
    users = Users(
        names=_names("u", count),
        factors=leanings.factors(segment, gender, age, own),
        own_factors=own,
        bias=rng.normal(size=count),
        age=age,
        age_known=rng.random(count) >= _UNKNOWN_AGE_SHARE,
        gender=gender,
        city=rng.choice(len(CITIES), count, p=[0.3, 0.35, 0.22, 0.13]),
        segment=segment,
        device=rng.choice(len(DEVICES), count, p=[0.5, 0.3, 0.2]),
        activity=activity,
        cumulative_share=cumulative_share(np.sqrt(activity)),
    )
    return users, leanings


def draw_items(count: int, rng: np.random.Generator) -> Items:
    """Draws items; a brand sells in a few categories and has a price level of its own."""
    return draw_items_and_assortment(count, rng)[0]


def draw_items_and_assortment(
    count: int, rng: np.random.Generator, assortment: Assortment | None = None
) -> tuple[Items, Assortment]:
    """Draws items, and what they have in common unless it is given."""
    given = assortment
    brand = rng.integers(BRANDS, size=count)
    if given is None:
        categories_of_brand = rng.integers(len(CATEGORIES), size=(BRANDS, 3))
    else:
        categories_of_brand = given.categories_of_brand
    category = categories_of_brand[brand, rng.integers(3, size=count)]
    category_level = (
        rng.normal(3.2, 0.6, len(CATEGORIES)) if given is None else given.category_level
    )
    brand_level = rng.normal(0, 0.35, BRANDS) if given is None else given.brand_level
    level = category_level[category] + brand_level[brand]
    popularity = (1.0 + rng.permutation(count)) ** -0.8
    centre = rng.normal(size=(len(CATEGORIES), _FACTORS)) if given is None else given.centre
    quality = rng.normal(size=count)
    items = Items(
        names=_names("i", count),
        factors=0.8 * centre[category] + 0.5 * rng.normal(size=(count, _FACTORS)),
        quality=quality,
        category=category,
        brand=brand,
        price=np.round(np.exp(level + rng.normal(0, 0.4, count)), 2),
        popularity=np.ceil(popularity / popularity.min() * 10),
        rating=np.round(np.clip(4.0 + 0.2 * quality + rng.normal(0, 0.4, count), 1, 5), 1),
        cumulative_share=cumulative_share(popularity),
    )
    return items, Assortment(categories_of_brand, category_level, brand_level, centre)


def _names(prefix: str, count: int) -> pa.Array:
    width = len(str(count))
    return pa.array([f"{prefix}{number:0{width}d}" for number in range(1, count + 1)])


def cumulative_share(weights: np.ndarray) -> np.ndarray:
    """Running sum of shares, ``(n,)``; what has the weight 0 is never drawn."""
    cumulative = np.cumsum(weights)
    return cumulative / cumulative[-1]
