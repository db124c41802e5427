"""The columns of the simulated log, and those of the ground truth beside it."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.pipeline.simulation.behaviour_history import NONE, BehaviourHistory
from mtlx.pipeline.simulation.impressions import FIRST_MIDNIGHT, SECONDS_PER_DAY, Impressions
from mtlx.pipeline.simulation.item_tags import item_tags
from mtlx.pipeline.simulation.population import (
    BRANDS,
    CATEGORIES,
    CITIES,
    DEVICES,
    GENDERS,
    SEGMENTS,
    Items,
    Users,
)
from mtlx.pipeline.simulation.preferences import Probabilities
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS

#: Between the values of a list in CSV.
SEPARATOR = "|"

#: Columns of the behaviour sequence of each task: the items, and beside them their categories.
SEQUENCES = {
    "click": ("clicked_items", "clicked_categories"),
    "add_to_cart": ("carted_items", "carted_categories"),
    "purchase": ("purchased_items", "purchased_categories"),
}

#: Columns of the item's tags, and of how much each holds.
TAGS = ("tags", "tag_weights")

#: Name of the row's key, in the log and in the ground truth.
KEY = "impression_id"

_BRAND_NAMES = tuple(f"brand_{number:02d}" for number in range(1, BRANDS + 1))


def log_table(
    first_id: int,
    day: int,
    seen: Impressions,
    users: Users,
    items: Items,
    histories: dict[str, BehaviourHistory],
    labels: np.ndarray,
) -> pa.Table:
    """One row per impression, behaviour sequences and tags as lists.

    Args:
        first_id: key of the first row; the next ones count up.
        day: counted from 1.
        seen: the impressions.
        users: all users.
        items: all items.
        histories: per task, what was known before the day began.
        labels: ``(n, T)`` of 0 and 1.
    """
    user, item = seen.user, seen.item
    columns = {
        KEY: _keys(first_id, len(user)),
        "day": pa.array(np.full(len(user), day)),
        "timestamp": pa.array(FIRST_MIDNIGHT + (day - 1) * SECONDS_PER_DAY + seen.second),
        "user_id": users.names.take(pa.array(user)),
        "item_id": items.names.take(pa.array(item)),
        "scenario": _names(DOMAINS, seen.domain),
        "age": pa.array(users.age[user], mask=~users.age_known[user]),
        "gender": _names(GENDERS, users.gender[user]),
        "city": _names(CITIES, users.city[user]),
        "segment": _names(SEGMENTS, users.segment[user]),
        "activity": pa.array(users.activity[user].astype(np.int64)),
        "category": _names(CATEGORIES, items.category[item]),
        "brand": _names(_BRAND_NAMES, items.brand[item]),
        "price": pa.array(items.price[item]),
        "popularity": pa.array(items.popularity[item].astype(np.int64)),
        "rating": pa.array(items.rating[item]),
        "discount": pa.array(seen.discount),
        "hour": pa.array(seen.hour),
        "device": _names(DEVICES, seen.device),
        "position": pa.array(seen.position),
    }
    categories = _names(CATEGORIES, items.category)
    for task, (of_items, of_categories) in SEQUENCES.items():
        history = histories[task].items[user]
        columns[of_items] = _sequences(history, items.names)
        columns[of_categories] = _sequences(history, categories)
    for column, lists in zip(TAGS, item_tags(items.factors), strict=True):
        columns[column] = lists.take(pa.array(item))
    for index, task in enumerate(TASKS):
        columns[task] = pa.array(labels[:, index].astype(np.int64))
    return pa.table(columns)


def truth_table(first_id: int, probabilities: Probabilities) -> pa.Table:
    """The true probabilities, one row per impression: conditional and unconditional ones.

    That of a click stands there twice: at the position that the row had, and for whom does not
    know it yet.
    """
    conditional, unconditional = probabilities.conditional, probabilities.unconditional
    return pa.table(
        {
            KEY: _keys(first_id, len(conditional)),
            "click": conditional[:, 0],
            "add_to_cart_given_click": conditional[:, 1],
            "purchase_given_add_to_cart": conditional[:, 2],
            "add_to_cart": unconditional[:, 1],
            "purchase": unconditional[:, 2],
            "click_without_position": probabilities.click_without_position,
        }
    )


def join_lists(table: pa.Table) -> pa.Table:
    """Replaces list columns by text; an empty list becomes null, an empty cell in CSV."""
    for column in itertools.chain(*SEQUENCES.values(), TAGS):
        index = table.schema.get_field_index(column)
        lists = table.column(column).combine_chunks().cast(pa.list_(pa.string()))
        texts = pc.binary_join(lists, SEPARATOR)
        texts = pc.if_else(
            pc.equal(pc.list_value_length(lists), 0), pa.scalar(None, "string"), texts
        )
        table = table.set_column(index, column, texts)
    return table


def _keys(first: int, count: int) -> pa.Array:
    return pa.array(np.arange(first, first + count))


def _names(names: tuple[str, ...], index: np.ndarray) -> pa.Array:
    return pa.array(names).take(pa.array(index))


def _sequences(history: np.ndarray, names: pa.Array) -> pa.Array:
    """Histories ``(n, L)`` as lists of what the items are called, oldest first."""
    present = history != NONE
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(history[present])))
