"""Distinct values against NumPy's, in pieces and in any order; buckets by both ways of Transform."""

import pickle

import numpy as np
import pytest

from mtlx.transform.columns import distinct_values
from mtlx.transform.columns.distinct_values import DistinctValues, _hash, _unhash
from mtlx.transform.contract.data_contract import DataContract

MISSING, FIRST = 1, 3


def _merged(values, pieces, workers=3):
    """Parts that were sent over the wire and merged."""
    parts = [DistinctValues() for _ in range(workers)]
    for index, piece in enumerate(np.array_split(values, pieces)):
        parts[index % workers].add(piece)
    merged = DistinctValues()
    for part in [*parts, DistinctValues()]:
        merged.merge(pickle.loads(pickle.dumps(part)))
    return merged


def test_the_hash_is_one_to_one():
    bits = np.random.default_rng(0).integers(0, 1 << 32, 100_000, dtype=np.uint32)
    np.testing.assert_array_equal(_unhash(_hash(bits)), bits)
    assert len(np.unique(_hash(np.arange(100_000, dtype=np.uint32)))) == 100_000


@pytest.mark.parametrize("kept", [1 << 18, 1500])
def test_all_values_are_held_once_while_they_are_few(monkeypatch, kept):
    """Also where parts are compacted again and again."""
    monkeypatch.setattr(distinct_values, "KEPT", kept)
    random = np.random.default_rng(1)
    values = np.concatenate([np.zeros(5000), random.integers(-700, 700, 3000)]).astype("float32")
    values = np.append(values, np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3e38], "float32"))
    random.shuffle(values)
    expected = np.unique(values[np.isfinite(values)])
    assert np.count_nonzero(expected == 0) == 1
    np.testing.assert_array_equal(_merged(values, 29).values(), expected)


def test_of_more_values_a_sample_is_held_that_is_the_same_whatever_the_order(monkeypatch):
    monkeypatch.setattr(distinct_values, "KEPT", 4096)
    random = np.random.default_rng(2)
    # Nine rows of ten have one of a hundred values; the sample must not see that.
    often = np.repeat(random.normal(50, 1, 100), 9000)
    values = np.concatenate([random.uniform(0, 1, 100_000), often]).astype("float32")
    shuffled = random.permutation(values)
    one, other = _merged(values, 31), _merged(shuffled, 7, workers=2)
    np.testing.assert_array_equal(one.values(), other.values())
    assert len(one.values()) == 4096
    # Four standard errors of a quantile of 4,096 values.
    np.testing.assert_allclose(one.boundaries(10), np.arange(1, 10) / 10, atol=4 * 0.5 / 64)


@pytest.mark.parametrize(("count", "buckets"), [(1000, 8), (11, 4), (5, 4), (4, 4), (3, 8), (1, 2)])
def test_buckets_hold_equally_many_values(count, buckets):
    values = np.sort(np.random.default_rng(3).normal(size=count)).astype("float32")
    part = DistinctValues()
    part.add(np.repeat(values, np.arange(1, count + 1)))
    boundaries = part.boundaries(buckets)
    assert boundaries.shape == (buckets - 1,) and (np.diff(boundaries) >= 0).all()
    sizes = np.bincount(np.searchsorted(boundaries, values, side="right"), minlength=buckets)
    sizes = sizes[sizes > 0]
    assert len(sizes) == min(count, buckets) and sizes.max() - sizes.min() <= 1


def test_without_values_there_are_boundaries_all_the_same():
    part = DistinctValues()
    part.add(np.array([np.nan, np.inf], "float32"))
    assert part.boundaries(4).tolist() == [0, 0, 0]


def _contract(**features):
    features = {name: {"kind": "numeric", **feature} for name, feature in features.items()}
    return DataContract.read({"features": features, "tasks": {"ctr": {"label": "click"}}})


@pytest.fixture(scope="module")
def inflated(transform, one_pass):
    """Columns that are 0 or missing mostly, by our component's parts and by TFT alone."""
    random = np.random.default_rng(4)
    amount = np.where(random.random(1000) < 0.9, 0, random.integers(-300, 300, 1000) / 4)
    rows = [
        {
            "amount": [] if index % 50 == 0 else [float(value)],
            "by_rows": [] if index % 50 == 0 else [float(value)],
            "few": [float(index % 3)],
            "constant": [7.0],
            "nowhere": [],
            "click": [index % 2],
        }
        for index, value in enumerate(amount)
    ]
    buckets = {"transform": "quantile_buckets", "buckets": 10}
    distinct = {**buckets, "buckets_of": "distinct"}
    contract = _contract(
        amount={**distinct, "transform": ["log", "quantile_buckets", "zscore"]},
        by_rows=buckets, few=distinct, constant=distinct, nowhere=distinct,
    )  # fmt: skip
    present = np.array([bool(row["amount"]) for row in rows])
    found = {"one_pass": one_pass(contract, rows), "stock": transform(contract, rows)}
    return contract, amount.astype("float32"), present, found


@pytest.mark.parametrize("way", ["one_pass", "stock"])
def test_buckets_are_cut_by_what_occurs_not_by_how_often(inflated, way):
    _, amount, present, found = inflated
    columns = found[way].columns
    values, first = np.unique(amount[present], return_index=True)
    buckets = columns["amount.quantile_buckets"][present]
    sizes = np.bincount(buckets[first] - FIRST, minlength=10)
    assert sizes.min() > 0 and sizes.max() - sizes.min() <= 1 and sizes.sum() == len(values)
    assert (np.diff(buckets[np.argsort(amount[present])]) >= 0).all()
    # By rows, the many zeros leave the other values a bucket or two.
    assert len(np.unique(columns["by_rows"][present])) <= 4
    assert set(columns["amount.quantile_buckets"][~present]) == {MISSING}
    assert [len(np.unique(columns[name])) for name in ("few", "constant", "nowhere")] == [3, 1, 1]
    assert set(columns["nowhere"]) == {MISSING}


@pytest.mark.parametrize("way", ["one_pass", "stock"])
def test_every_form_of_a_number_is_that_of_the_form_alone(inflated, way):
    _, amount, present, found = inflated
    columns, of = found[way].columns, amount[present]
    assert set(columns) >= {"amount.log", "amount.zscore"} and "amount" not in columns
    logarithm = np.where(present, np.sign(amount) * np.log1p(np.abs(amount)), 0)
    np.testing.assert_allclose(columns["amount.log"], logarithm, rtol=1e-5)
    zscore = np.where(present, (amount - of.mean()) / of.std(), 0)
    np.testing.assert_allclose(columns["amount.zscore"], zscore, atol=1e-4)


def test_both_ways_of_transform_agree_to_the_last_row(inflated):
    _, _, _, found = inflated
    ours, theirs = found["one_pass"], found["stock"]
    assert ours.graph.transformed_feature_spec() == theirs.graph.transformed_feature_spec()
    for name in ("amount.quantile_buckets", "few", "constant", "nowhere"):
        np.testing.assert_array_equal(ours.columns[name], theirs.columns[name], err_msg=name)


def test_models_are_built_from_the_fields(inflated):
    from mtlx.transform.analysis.model_inputs_builder import build_model_inputs

    contract, _, _, found = inflated
    inputs = build_model_inputs(contract, found["one_pass"].graph)
    assert [field.name for field in inputs.numeric] == ["amount.log", "amount.zscore"]
    sizes = {field.name: field.cardinality for field in inputs.categorical}
    assert sizes["amount.quantile_buckets"] == FIRST + 10
