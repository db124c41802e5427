"""Planted movements are found, and ranked first; days of one distribution raise no alarm."""

import numpy as np
import pytest
import tensorflow_data_validation as tfdv

from mtlx.components.drift_guard.compare import compare
from mtlx.components.drift_guard.settings import DriftSettings
from tests.components.drift_guard.made_days import (
    CONTRACT,
    columns,
    described,
    statistics,
    together,
)

ROWS = 600


def _compare(new, *before, **settings):
    return _compare_described(described(new), [described(day) for day in before], settings)


def _compare_described(new, before, settings):
    return compare(
        ("today", new), ("before", together(before)), CONTRACT, DriftSettings.read(settings)
    )


@pytest.fixture(scope="module")
def null_days():
    """Twenty-four of one distribution."""
    random = np.random.default_rng(7)
    return [described(columns(random, ROWS)) for _ in range(24)]


@pytest.mark.parametrize("categories", ["l_infinity", "psi"])
def test_twenty_days_of_one_distribution_raise_no_alarm(null_days, categories):
    found = [
        movement
        for day in range(4, 24)
        for before in (null_days[day - 4 : day], null_days[day - 1 : day])
        for movement in _compare_described(
            null_days[day], before, {"categories": categories}
        ).beyond
    ]
    assert found == []


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("changes", "name", "measure"),
    [
        ({"price": 0.8}, "price", "jensen_shannon"),
        ({"visits_zero": 0.6}, "visits", "jensen_shannon"),
        ({"year": 15}, "year", "jensen_shannon"),
        ({"price_missing": 0.3}, "price", "missing"),
        ({"brand": [0.45, 0.25, 0.1, 0.1, 0.1]}, "brand", "l_infinity"),
        ({"first_item": 150}, "item", "out_of_vocabulary"),
    ],
)
def test_what_moved_is_found_and_stands_first(seed, changes, name, measure):
    random = np.random.default_rng(seed)
    before = [columns(random, ROWS) for _ in range(4)]
    found = _compare(columns(random, ROWS, **changes), *before)
    # Nothing else: sequences of items move with the items.
    same = {name, "clicks"} if name == "item" else {name}
    assert found.features[0].name in same
    first = next(feature for feature in found.features if feature.name == name)
    assert first.score > 1
    assert {movement.measure for movement in first.movements if movement.beyond} >= {measure}
    assert name in {movement.of for movement in found.beyond} <= same


def test_a_label_rate_that_moves_in_one_domain_is_told_from_the_others():
    random = np.random.default_rng(3)
    before = [columns(random, 2 * ROWS) for _ in range(4)]
    found = _compare(columns(random, 2 * ROWS, click_in_search=0.5), *before)
    first = found.labels[0]
    assert (first.of, first.detail, first.beyond) == ("click", "search", True)
    assert first.before == pytest.approx(0.3, abs=0.03) and first.new == pytest.approx(
        0.5, abs=0.06
    )
    beyond = {(m.of, m.detail) for m in found.beyond}
    assert ("click", "feed") not in beyond and not any(task == "buy" for task, _ in beyond)


def test_one_outlier_and_many_zeros_are_no_movement_here_and_are_one_to_tfdv():
    """Why TFDV's own divergence is not what is measured."""
    random = np.random.default_rng(5)
    days = [columns(random, 2000), columns(random, 2000, outlier=1e6)]
    found = _compare(days[1], days[0])
    ours = {
        m.of: m.value for f in found.features for m in f.movements if m.measure == "jensen_shannon"
    }
    before, new = map(statistics, days)
    schema = tfdv.infer_schema(before, infer_feature_shape=False)
    for feature in schema.feature:
        if feature.name in ("price", "visits"):
            feature.drift_comparator.jensen_shannon_divergence.threshold = 1.0
        if feature.name == "brand":
            feature.drift_comparator.infinity_norm.threshold = 1.0
    result = tfdv.validate_statistics(new, schema, previous_statistics=before)
    theirs = {
        info.path.step[0]: info.drift_measurements[0].value for info in result.drift_skew_info
    }
    assert ours["price"] < 0.02 < 0.9 < theirs["price"]
    assert ours["visits"] < 0.02 < 0.1 < theirs["visits"]
    brand = next(feature for feature in found.features if feature.name == "brand")
    (largest,) = (m for m in brand.movements if m.measure == "l_infinity")
    assert largest.value == pytest.approx(theirs["brand"], abs=1e-6)


def test_new_items_on_every_day_are_to_be_expected_and_more_of_them_are_not():
    random = np.random.default_rng(11)
    days = [columns(random, ROWS, first_item=5 * day) for day in range(7)]
    today = _compare(columns(random, ROWS, first_item=35), *days)
    assert not [m for m in today.beyond if m.measure == "out_of_vocabulary"]
    (out,) = (
        m
        for feature in today.features
        if feature.name == "item"
        for m in feature.movements
        if m.measure == "out_of_vocabulary"
    )
    # By what days tell of each other, not by rare values alone.
    assert out.before > 0.0


def test_thresholds_of_one_feature_and_of_one_task_take_the_place_of_all():
    random = np.random.default_rng(3)
    before = [columns(random, ROWS) for _ in range(3)]
    new = columns(random, ROWS, price=0.8, click_in_search=0.6)
    free = {"features": {"price": {"jensen_shannon": None}}, "label_rates": {"click": None}}
    assert {m.of for m in _compare(new, *before).beyond} >= {"price", "click"}
    found = _compare(new, *before, **free)
    assert found.beyond == []
    assert found.features[0].name == "price"
    # What stands of a feature leaves its other bounds as they are.
    assert DriftSettings.read(free).bound("price", "missing") == 0.05


def test_a_feature_by_which_rows_were_split_has_other_values_by_nature():
    random = np.random.default_rng(3)
    days = described(columns(random, ROWS)), described(columns(random, ROWS, first_item=10_000))
    arguments = (("test", days[1]), ("train", days[0]), CONTRACT, DriftSettings())
    assert "item" in {m.of for m in compare(*arguments).beyond}
    found = compare(*arguments, kept_apart="item")
    assert "item" not in {m.of for m in found.beyond}
    assert "user" not in {feature.name for feature in found.features}
