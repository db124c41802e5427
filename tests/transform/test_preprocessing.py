"""preprocessing_fn against plain Python on the same rows, in analysis and in serving."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from mtlx.transform.analysis.analysis import vocabulary_name
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.preprocessing import preprocessing_fn

PADDING, MISSING, UNKNOWN, FIRST = 0, 1, 2, 3


def _vocabulary(values, top_k=None, min_count=1):
    """Most frequent first, ties by falling bytes; without empty text and line breaks."""
    counts = collections.Counter(value.encode() for value in values if value and "\n" not in value)
    kept = [value for value, count in counts.items() if count >= min_count]
    return sorted(kept, key=lambda value: (counts[value], value), reverse=True)[:top_k]


def _ids(vocabulary):
    return {value.decode(): FIRST + index for index, value in enumerate(vocabulary)}


def _expected_scalars(rows, name, ids):
    return [ids.get(row[name][0], UNKNOWN) if row[name] else MISSING for row in rows]


@pytest.fixture(scope="module")
def item_ids(rows):
    """The item's vocabulary counts the sequence's items as well."""
    return _ids(_vocabulary([value for row in rows for value in row["item"] + row["clicks"]]))


def _numbers(rows, name):
    return np.array([row[name][0] if row[name] else np.nan for row in rows])


def test_outputs_have_the_documented_names_types_and_shapes(transformed, contract, rows):
    spec = transformed.graph.transformed_feature_spec()
    floats = {"price", "discount", "count", "rating", "constant"}
    names = set(contract.features) - {"user"} | {"domain_id", "click", "buy"}
    assert set(spec) == set(transformed.columns) == names
    for name, feature in spec.items():
        assert isinstance(feature, tf.io.FixedLenFeature)
        assert feature.dtype == (tf.float32 if name in floats else tf.int64), name
        assert list(feature.shape) == {"clicks": [3], "towns": [2]}.get(name, []), name
        assert len(transformed.columns[name]) == len(rows)


def test_ids_by_frequency_with_ids_of_their_own_for_missing_and_unknown(
    transformed, rows, item_ids
):
    expected = _expected_scalars(rows, "item", item_ids)
    np.testing.assert_array_equal(transformed.columns["item"], expected)
    assert UNKNOWN in expected, "a value with a line break has no line in the vocabulary"
    assert item_ids["only in clicks"] >= FIRST


def test_vocabulary_is_limited_by_size_and_count(transformed, rows):
    brands = [value for row in rows for value in row["brand"]]
    limited = _ids(_vocabulary(brands, top_k=5, min_count=3))
    assert len(limited) == 5 < len(set(brands))
    expected = _expected_scalars(rows, "brand", limited)
    np.testing.assert_array_equal(transformed.columns["brand"], expected)


def test_hashed_values_share_ids_with_their_sequence(transformed, rows):
    ids = {}
    for row, city in zip(rows, transformed.columns["city"], strict=True):
        if row["city"]:
            assert FIRST <= city < FIRST + 7
            assert ids.setdefault(row["city"][0], city) == city
        else:
            assert city == MISSING
    for row, towns in zip(rows, transformed.columns["towns"], strict=True):
        recent = row["towns"][-2:]
        assert towns.tolist() == [ids[town] for town in recent] + [PADDING] * (2 - len(recent))


def test_sequences_keep_the_most_recent_items_oldest_first(transformed, rows, item_ids):
    for row, clicks in zip(rows, transformed.columns["clicks"], strict=True):
        recent = [item_ids.get(item, UNKNOWN) for item in row["clicks"] if item][-3:]
        assert clicks.tolist() == recent + [PADDING] * (3 - len(recent))


def test_numbers_follow_the_moments_of_the_present_values(transformed, rows):
    price, discount = _numbers(rows, "price"), _numbers(rows, "discount")
    expected = {
        "price": (price - np.nanmean(price)) / np.nanstd(price),
        "discount": (discount - np.nanmin(discount)) / (np.nanmax(discount) - np.nanmin(discount)),
        "count": np.sign(_numbers(rows, "count")) * np.log1p(np.abs(_numbers(rows, "count"))),
        "rating": _numbers(rows, "rating"),
        "constant": np.zeros(len(rows)),
    }
    for name, values in expected.items():
        got = transformed.columns[name]
        np.testing.assert_allclose(got, np.nan_to_num(values), atol=2e-5, err_msg=name)


def test_quantile_buckets_are_equally_full_and_ordered(transformed, rows):
    age, bucket = _numbers(rows, "age"), transformed.columns["age"]
    present = ~np.isnan(age)
    assert set(bucket[~present]) == {MISSING}
    assert set(bucket[present]) == set(range(FIRST, FIRST + 8))
    counts = np.bincount(bucket[present])[FIRST:]
    np.testing.assert_allclose(counts, present.sum() / 8, rtol=0.05)
    assert (np.diff(bucket[present][np.argsort(age[present])]) >= 0).all()


def test_columns_without_any_value(transformed):
    assert set(transformed.columns["nothing"]) == {MISSING}
    assert set(transformed.columns["nowhere"]) == {MISSING}


def test_domain_index_and_labels(transformed, rows):
    domains = {"search": 0, "feed": 1, "page": 2}
    expected = [domains[row["scenario"][0]] for row in rows]
    np.testing.assert_array_equal(transformed.columns["domain_id"], expected)
    for label in ("click", "buy"):
        np.testing.assert_array_equal(transformed.columns[label], [row[label][0] for row in rows])


def _sparse(values, dtype):
    ragged = tf.ragged.constant(values, dtype=dtype, ragged_rank=1)
    return ragged.to_sparse()


def _serve(transformed, contract, rows):
    kinds = {"categorical": tf.string, "numeric": tf.float32, "sequence": tf.string}
    raw = {
        name: _sparse([row.get(name, []) for row in rows], kinds[feature.kind])
        for name, feature in contract.features.items()
    }
    layer = transformed.graph.transform_features_layer()
    return {name: value.numpy() for name, value in layer(raw).items()}


def test_serving_gives_the_same_without_labels(transformed, contract, rows):
    served = _serve(transformed, contract, rows[:200])
    assert set(served) == set(transformed.columns) - {"click", "buy"}
    for name, values in served.items():
        np.testing.assert_allclose(values, transformed.columns[name][:200], atol=1e-6)


def test_serving_meets_values_never_seen(transformed, contract, rows):
    rows = [
        {"item": ["never seen"], "clicks": ["never seen", ""], "scenario": ["nowhere"]},
        {"discount": [1e9], "age": [1e9], "nothing": ["x"], "price": [float("inf")]},
        {"discount": [-1e9], "age": [-1e9], "item": [""], "rating": [float("nan")]},
    ]
    served = _serve(transformed, contract, rows)
    assert served["item"].tolist() == [UNKNOWN, MISSING, MISSING]
    assert served["clicks"][0].tolist() == [UNKNOWN, PADDING, PADDING]
    assert served["domain_id"].tolist() == [0, 0, 0]
    assert served["discount"].tolist() == [0, 1, 0]
    assert served["age"].tolist() == [MISSING, FIRST + 7, FIRST]
    assert served["nothing"].tolist() == [MISSING, UNKNOWN, MISSING]
    assert served["price"].tolist() == [0, 0, 0] and served["rating"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["price", "discount", "count", "rating", "constant"])
def test_numbers_outside_the_training_range_are_served_as_the_end_of_it(
    transformed, contract, rows, name
):
    """Also of transforms that have no bound of their own."""
    seen = _numbers(rows, name)
    ends = [float(np.nanmin(seen)), float(np.nanmax(seen))]
    far = [{name: [value]} for value in (ends[0] - 1e4, -3e38, ends[1] + 1e4, 3e38)]
    served = _serve(transformed, contract, [{name: [value]} for value in ends] + far)[name]
    assert served.tolist() == [*served[:2], served[0], served[0], served[1], served[1]]
    assert name == "constant" or served[0] < served[1]


def test_clip_none_leaves_numbers_as_they_are(one_pass):
    contract = DataContract.read(
        {
            "features": {
                "price": {"kind": "numeric", "clip": "none"},
                "count": {"kind": "numeric", "clip": "none", "transform": "log"},
                "rating": {"kind": "numeric", "clip": "none", "transform": "none"},
            },
            "tasks": {"ctr": {"label": "click"}},
        }
    )
    rows = [{"price": [x], "count": [x], "rating": [x], "click": [1]} for x in (1.0, 2.0, 3.0)]
    transformed = one_pass(contract, rows)
    served = _serve(transformed, contract, [dict.fromkeys(("price", "count", "rating"), [1e6])])
    assert served["price"][0] == pytest.approx((1e6 - 2) / np.sqrt(2 / 3))
    assert served["count"][0] == pytest.approx(np.log1p(1e6)) and served["rating"][0] == 1e6


@pytest.fixture(scope="module")
def backwards(one_pass, contract, rows):
    """The rows in reverse order, with vocabularies only."""
    names = ("item", "brand", "scenario", "clicks")
    features = {name: contract.features[name] for name in names}
    reversed_rows = [{name: row[name] for name in (*names, "click", "buy")} for row in rows[::-1]]
    return one_pass(contract.model_copy(update={"features": features}), reversed_rows)


def test_vocabularies_do_not_depend_on_the_order_of_rows(transformed, backwards):
    """Nor on what else the contract has, nor on whether TFT alone makes them."""
    for name in ("item", "brand", "scenario"):
        one, other = (
            each.graph.vocabulary_by_name(vocabulary_name(name))
            for each in (transformed, backwards)
        )
        assert one == other and len(one) > 2


def test_dense_inputs_of_a_schema_with_shapes(one_pass):
    """A reviewed schema may promise one value per row, which then arrives dense."""
    contract = DataContract.read(
        {
            "features": {
                "item": {"kind": "categorical"},
                "price": {"kind": "numeric"},
                "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
            },
            "tasks": {"ctr": {"label": "click"}},
        }
    )
    spec = {
        "item": tf.io.FixedLenFeature([], tf.string),
        "price": tf.io.FixedLenFeature([1], tf.float32),
        "clicks": tf.io.FixedLenFeature([2], tf.string),
        "click": tf.io.FixedLenFeature([], tf.int64),
    }
    rows = [
        {"item": ["a"], "price": [1.0], "clicks": ["b", "a"], "click": [1]},
        {"item": [""], "price": [3.0], "clicks": ["a", ""], "click": [0]},
    ]
    columns = one_pass(contract, rows, spec).columns
    assert columns["item"].tolist() == [FIRST, MISSING]
    assert columns["clicks"].tolist() == [[FIRST + 1, FIRST, 0], [FIRST, 0, 0]]
    assert columns["price"].tolist() == [-1, 1] and columns["click"].tolist() == [1, 0]
    assert columns["domain_id"].tolist() == [0, 0]


def test_a_schema_without_a_feature_of_the_contract_is_refused(contract):
    config = {"data_contract": contract.to_json()}
    with pytest.raises(ValueError, match=r"lacks features \['user', .*'towns'\]"):
        preprocessing_fn({"item": tf.constant(["a"])}, config)
