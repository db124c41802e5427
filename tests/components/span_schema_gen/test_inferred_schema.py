"""A schema of training rows finds what only later rows have, and lets ordinary days pass."""

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from mtlx.components.span_schema_gen.inferred_schema import InferredSchema
from mtlx.components.span_schema_gen.schema_marks import without_marks
from tests.components.drift_guard.made_days import CONTRACT, columns, statistics

ROWS = 600


def _schema(days, base=None, **settings):
    inferred = InferredSchema(CONTRACT, settings.pop("tolerance", 0.01), base=base, **settings)
    for day in days:
        inferred.add(statistics(day))
    return inferred.schema()


def _anomalies(day, schema):
    found = tfdv.validate_statistics(statistics(day), schema)
    return {name: info.short_description for name, info in found.anomaly_info.items()}


def _old_schema(days):
    """What the stock SchemaGen makes of all splits, the one that is checked among them."""
    schema = None
    for day in map(statistics, days):
        schema = (
            tfdv.infer_schema(day, False)
            if schema is None
            else tfdv.update_schema(schema, day, False)
        )
    return schema


def _new_brand(day):
    """One row in twenty has a brand that there was none of."""
    day["brand"] = [["other"] if row % 20 == 0 else v for row, v in enumerate(day["brand"])]


def _no_brand(day):
    day["brand"] = [None] * ROWS


def _two_brands(day):
    day["brand"] = [value * 2 for value in day["brand"]]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_new_brand, "Unexpected string values"),
        (_no_brand, "Column dropped"),
        (_two_brands, "Superfluous values"),
    ],
)
def test_what_only_the_test_rows_have_is_an_anomaly(seed, spoil, words):
    random = np.random.default_rng(seed)
    train = [columns(random, ROWS) for _ in range(3)]
    test = columns(random, ROWS)
    assert _anomalies(test, _schema(train)) == {}
    spoil(test)
    assert _anomalies(test, _schema(train)) == {"brand": words}
    # Inferred from the same rows, it never is one.
    assert _anomalies(test, _old_schema([*train, test])) == {}


@pytest.fixture(scope="module")
def ordinary_days():
    """Twenty-four, on which items and a few rare brands come and go."""
    random = np.random.default_rng(5)
    return [
        statistics(columns(random, ROWS, first_item=5 * day, brand=[0.5, 0.3, 0.19, 0.005, 0.005]))
        for day in range(24)
    ]


@pytest.mark.parametrize("spans", [1, 4])
def test_twenty_ordinary_days_are_no_anomaly(ordinary_days, spans):
    days = ordinary_days
    for place in range(spans, 20 + spans):
        inferred = InferredSchema(CONTRACT, 0.01)
        for day in days[place - spans : place]:
            inferred.add(day)
        schema = inferred.schema()
        assert not tfdv.validate_statistics(days[place], schema).anomaly_info, place
        assert "scenario" in {domain.name for domain in schema.string_domain}


def test_a_small_set_of_items_that_come_and_go_is_found_to_be_open():
    random = np.random.default_rng(5)
    days = [columns(random, ROWS, items=40, first_item=8 * day) for day in range(4)]
    # One day alone cannot know.
    assert "item" in _anomalies(days[3], _schema(days[:1]))
    assert "item" not in _anomalies(days[3], _schema(days[:3]))
    assert "item" not in _anomalies(days[3], _schema(days[:1], open_features=["item", "clicks"]))
    # What was found once stays known.
    assert "item" not in _anomalies(days[3], _schema(days[2:3], base=_schema(days[:2])))
    assert "brand" in {domain.name for domain in _schema(days[:3]).string_domain}


def test_a_few_missing_values_and_a_few_new_ones_are_tolerated_and_more_are_not():
    random = np.random.default_rng(6)
    train, test = columns(random, ROWS), columns(random, ROWS)
    test["brand"][:4], test["scenario"][:4] = [None] * 4, [["feeed"]] * 4
    assert _anomalies(test, _schema([train])) == {}
    # The allowance for rare values and for chance is that of 600 rows.
    assert _anomalies(test, _schema([train], tolerance=0.0)).keys() == {"brand", "scenario"}
    test["brand"][:12], test["scenario"][:24] = [None] * 12, [["feeed"]] * 24
    assert _anomalies(test, _schema([train])).keys() == {"brand", "scenario"}


def test_what_a_person_reviewed_is_carried_over_and_never_widened():
    random = np.random.default_rng(6)
    train, test = columns(random, ROWS), columns(random, ROWS)
    reviewed = without_marks(_schema([train]))
    for feature in reviewed.feature:
        if feature.name == "price":
            feature.float_domain.max = 1000.0
    assert _anomalies(test, _schema([train], base=reviewed)) == {}
    test["price"][0] = [2000.0]
    _new_brand(test)
    wanted = {"price": "Out-of-range values", "brand": "Unexpected string values"}
    # Though training rows have them, too.
    assert _anomalies(test, _schema([train, test], base=reviewed)) == wanted
    assert _anomalies(test, _schema([train, test])) == {}
    assert _anomalies(test, _old_schema([train, test])) == {}


def test_what_training_rows_of_earlier_runs_had_is_allowed():
    random = np.random.default_rng(6)
    first, second, test = (columns(random, ROWS) for _ in range(3))
    for day in (first, test):
        for row in range(12):
            day["brand"][row] = ["other"]
    assert "brand" in _anomalies(test, _schema([second], tolerance=0.0))
    assert _anomalies(test, _schema([second], base=_schema([first]), tolerance=0.0)) == {}


def test_columns_of_another_contract_are_left_out_and_new_kinds_taken_anew():
    random = np.random.default_rng(6)
    base = _schema([columns(random, ROWS)])
    base.feature.add(name="gone", type=schema_pb2.BYTES)
    brand = next(feature for feature in base.feature if feature.name == "brand")
    brand.type = schema_pb2.FLOAT
    found = {
        feature.name: feature for feature in _schema([columns(random, ROWS)], base=base).feature
    }
    assert "gone" not in found and "bought" in found
    assert found["brand"].type == schema_pb2.BYTES and found["brand"].domain == "brand"


def test_a_column_that_goes_away_for_good_is_noticed_by_the_schema_before():
    random = np.random.default_rng(6)
    base = _schema([columns(random, ROWS)])
    train, test = columns(random, ROWS), columns(random, ROWS)
    for day in (train, test):
        _no_brand(day)
    assert _anomalies(test, _schema([train], base=base)) == {"brand": "Column dropped"}
    assert _anomalies(test, _schema([train])) == {}
