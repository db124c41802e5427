"""The columns of the log, row by row against what the rows are of."""

import numpy as np
import pyarrow as pa
import pytest

from mtlx.pipeline.simulation import population
from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.impressions import Impressions
from mtlx.pipeline.simulation.log_columns import (
    SEQUENCES,
    TAGS,
    join_lists,
    log_table,
    truth_table,
)
from mtlx.pipeline.simulation.population import draw_items, draw_users
from mtlx.pipeline.simulation.preferences import Probabilities
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS

USERS, ITEMS, ROWS = 30, 20, 50


@pytest.fixture(scope="module")
def world():
    """Users, items, impressions, histories and labels."""
    rng = np.random.default_rng(2)
    users, items = draw_users(USERS, rng), draw_items(ITEMS, rng)
    seen = Impressions(
        user=rng.integers(USERS, size=ROWS),
        item=rng.integers(ITEMS, size=ROWS),
        domain=rng.integers(len(DOMAINS), size=ROWS),
        device=rng.integers(3, size=ROWS),
        second=np.sort(rng.integers(86_400, size=ROWS)),
        position=rng.integers(1, 21, size=ROWS),
        discount=np.round(rng.random(ROWS), 2),
    )
    histories = {task: BehaviourHistory(USERS, 3) for task in TASKS}
    for history in histories.values():
        history.append(rng.integers(USERS // 2, size=40), rng.integers(ITEMS, size=40))
    return users, items, seen, histories, rng.integers(2, size=(ROWS, len(TASKS)))


@pytest.fixture(scope="module")
def table(world):
    users, items, seen, histories, labels = world
    return log_table(101, 3, seen, users, items, histories, labels)


def test_every_row_says_who_saw_what_where_and_when(world, table):
    users, items, seen, _, labels = world
    for place, row in enumerate(table.to_pylist()):
        user, item = seen.user[place], seen.item[place]
        assert row["impression_id"] == 101 + place and row["day"] == 3
        # 2024-01-03, the third day.
        assert row["timestamp"] == 1_704_240_000 + seen.second[place]
        assert row["hour"] == seen.second[place] // 3600
        assert row["user_id"] == users.names[user].as_py() == f"u{user + 1:02d}"
        assert row["item_id"] == f"i{item + 1:02d}"
        assert row["scenario"] == DOMAINS[seen.domain[place]]
        assert row["gender"] == population.GENDERS[users.gender[user]]
        assert row["city"] == population.CITIES[users.city[user]]
        assert row["segment"] == population.SEGMENTS[users.segment[user]]
        assert row["device"] == population.DEVICES[seen.device[place]]
        assert row["category"] == population.CATEGORIES[items.category[item]]
        assert row["brand"] == f"brand_{items.brand[item] + 1:02d}"
        assert (row["price"], row["rating"]) == (items.price[item], items.rating[item])
        assert [row[task] for task in TASKS] == labels[place].tolist()


def test_an_age_that_is_not_known_is_missing(world, table):
    users, seen = world[0], world[2]
    known = users.age_known.copy()
    known[seen.user[0]] = False
    hidden = population.dataclasses.replace(users, age_known=known)
    ages = log_table(1, 1, seen, hidden, world[1], world[3], world[4])["age"].to_pylist()
    assert ages == [int(users.age[u]) if known[u] else None for u in seen.user]
    assert ages[0] is None


def test_sequences_are_what_was_known_oldest_first_with_the_items_categories(world, table):
    items, seen, histories = world[1], world[2], world[3]
    lengths = set()
    for task, (of_items, of_categories) in SEQUENCES.items():
        for place, user in enumerate(seen.user):
            known = [item for item in histories[task].items[user] if item >= 0]
            lengths.add(len(known))
            assert table[of_items][place].as_py() == [f"i{item + 1:02d}" for item in known]
            assert table[of_categories][place].as_py() == [
                population.CATEGORIES[items.category[item]] for item in known
            ]
    assert {0, 3} <= lengths


def test_the_truth_has_conditional_and_unconditional_probabilities_of_the_same_rows():
    conditional = np.array([[0.5, 0.4, 0.2], [0.1, 1.0, 0.0]])
    truth = truth_table(7, Probabilities(conditional, np.array([0.3, 0.2]))).to_pylist()
    assert [row["click_without_position"] for row in truth] == [0.3, 0.2]
    assert [row["impression_id"] for row in truth] == [7, 8]
    for row, (click, cart, purchase) in zip(truth, conditional, strict=True):
        assert row["click"] == click
        assert row["add_to_cart_given_click"] == cart
        assert row["purchase_given_add_to_cart"] == purchase
        assert row["add_to_cart"] == pytest.approx(click * cart)
        assert row["purchase"] == pytest.approx(click * cart * purchase)


def test_joined_sequences_can_be_told_apart_from_none(world, table):
    joined = join_lists(table)
    assert joined.column_names == table.column_names
    changed = [*(column for columns in SEQUENCES.values() for column in columns), *TAGS]
    assert joined.drop(changed) == table.drop(changed)
    for column in changed:
        assert joined.schema.field(column).type == pa.string()
        as_text = "{:g}".format if column == "tag_weights" else str
        expected = ["|".join(map(as_text, items)) or None for items in table[column].to_pylist()]
        assert joined[column].to_pylist() == expected
        assert None in expected or column in TAGS


def test_no_rows_have_all_columns(world):
    users, items, seen, histories, labels = world
    none = Impressions(**{name: value[:0] for name, value in vars(seen).items()})
    table = log_table(1, 1, none, users, items, histories, labels[:0])
    assert len(table) == 0 and join_lists(table).num_columns == table.num_columns
