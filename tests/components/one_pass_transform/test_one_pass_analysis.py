"""The analysis' accumulators against NumPy, in pieces as Beam cuts them, and against TFT's own."""

import collections
import pickle

import numpy as np
import pytest

from mtlx.components.one_pass_transform import one_pass_analysis
from mtlx.components.one_pass_transform.one_pass_analysis import _CombineColumns, _Counts, _Numbers
from mtlx.transform.analysis.analysis import BucketRequest, VocabularyRequest
from mtlx.transform.contract.data_contract import DataContract


def _most_frequent(counts, top_k=None, min_count=1):
    return counts.most_frequent(VocabularyRequest((), top_k, min_count))


def _distinct(values):
    """Values and counts, as `read_counts` gives them."""
    counts = collections.Counter(values)
    return np.array(list(counts), object), np.array(list(counts.values()), np.int64)


def _expected(counts):
    return sorted(counts, key=lambda value: (counts[value], value), reverse=True)


def _merged(kind, arguments, pieces):
    """Three workers' accumulators, sent over the wire and merged."""
    workers = [kind(*arguments) for _ in range(3)]
    for index, piece in enumerate(pieces):
        workers[index % 3].add(*piece)
    merged = kind(*arguments)
    for worker in workers:
        merged.merge(pickle.loads(pickle.dumps(worker)))
    return merged


@pytest.mark.parametrize("limit", [1 << 20, 5])
def test_counts_of_pieces_add_up(monkeypatch, limit):
    """Also where the counts are compacted after every piece."""
    monkeypatch.setattr(one_pass_analysis, "_COMPACTION_ROWS", limit)
    random = np.random.default_rng(0)
    values = np.array([f"v{int(x)}".encode() for x in random.exponential(8, 2000)], object)
    merged = _merged(_Counts, (), [_distinct(piece) for piece in np.array_split(values, 17)])
    counts = collections.Counter(values)
    expected = _expected(counts)
    assert _most_frequent(merged) == expected
    assert _most_frequent(merged, top_k=4) == expected[:4]
    assert _most_frequent(merged, min_count=30) == [v for v in expected if counts[v] >= 30]


def test_accumulators_merge_in_any_order_and_grouping():
    """As Beam may: one after the other, backwards, in pairs; with empty ones between."""
    random = np.random.default_rng(2)
    words = [np.array([b"%d" % x for x in random.poisson(3, 50)], object) for _ in range(6)]
    numbers = [random.normal(100, 1, 50).astype("float32") for _ in range(6)]

    contract = DataContract.read(
        {
            "features": {
                "word": {"kind": "categorical"},
                "number": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 4},
            },
            "tasks": {"ctr": {"label": "click"}},
        }
    )

    def accumulators():
        combine = _CombineColumns(contract)
        filled = [
            combine.add_input(
                combine.create_accumulator(), {"word": _distinct(word), "number": (number,)}
            )
            for word, number in zip(words, numbers, strict=True)
        ]
        return combine, [*filled[:3], combine.create_accumulator(), *filled[3:]]

    def results(group):
        combine, parts = accumulators()
        found = combine.extract_output(group(combine.merge_accumulators, parts))
        return _most_frequent(found.counts["word"]), _flat(found.numbers["number"].summary())

    orders = [
        results(lambda merge, parts: merge(parts)),
        results(lambda merge, parts: merge(parts[::-1])),
        results(lambda merge, parts: merge([merge(parts[:2]), merge([merge(parts[2:])])])),
    ]
    counted = collections.Counter(value for piece in words for value in piece)
    for values, summary in orders:
        assert values == _expected(counted)
        np.testing.assert_allclose(summary, orders[0][1], rtol=1e-6)
    everything = np.concatenate(numbers).astype(float)
    np.testing.assert_allclose(orders[0][1][:2], [everything.mean(), everything.std()], rtol=1e-9)


def test_counts_leave_out_what_a_line_can_not_hold():
    counts = _Counts()
    counts.add(*_distinct([b"", b"a", b"b\nc", b"d\re", b"a"]))
    counts.add(*_distinct([]))
    assert _most_frequent(counts) == [b"a"]
    assert _most_frequent(_Counts()) == []


def _flat(summary):
    """Mean, deviation, minimum, maximum, boundaries, behind each other."""
    return [value for item in summary.values() for value in np.atleast_1d(item)]


def test_moments_and_quantiles_of_pieces_add_up():
    random = np.random.default_rng(0)
    values = (1e4 + random.gamma(2.0, 1.0, 20_000)).astype("float32")
    summary = _flat(
        _merged(
            _Numbers, (BucketRequest(10),), [(piece,) for piece in np.array_split(values, 23)]
        ).summary()
    )
    wide = values.astype(float)
    expected = [wide.mean(), wide.std(), wide.min(), wide.max()]
    np.testing.assert_allclose(summary[:4], expected, rtol=1e-9)
    ranks = [np.mean(values <= boundary) for boundary in summary[4:]]
    np.testing.assert_allclose(ranks, np.arange(1, 10) / 10, atol=0.002)


def test_what_is_no_number_does_not_count():
    numbers = _Numbers(BucketRequest(3))
    numbers.add(np.array([np.nan, np.inf, 1, 3, -np.inf], "float32"))
    numbers.add(np.array([], "float32"))
    assert _flat(numbers.summary())[:4] == [2, 1, 1, 3]
    assert _flat(_Numbers(BucketRequest(3)).summary()) == [0.0] * 6
    assert _flat(_merged(_Numbers, (BucketRequest(3),), []).summary()) == [0.0] * 6


def test_agrees_with_tft_on_every_kind_of_feature(both_transforms):
    """Same ids, numbers within rounding; quantiles are approximate on both sides."""
    ours, theirs = both_transforms
    assert ours.graph.transformed_feature_spec() == theirs.graph.transformed_feature_spec()
    for name in ours.columns:
        mine, other = ours.columns[name], theirs.columns[name]
        if name == "age":
            assert np.mean(mine == other) > 0.98
        elif mine.dtype.kind == "f":
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(mine, other, err_msg=name)
    for name in ("item", "brand", "scenario"):
        files = [each.graph.vocabulary_by_name(f"{name}_vocabulary") for each in (ours, theirs)]
        assert files[0] == files[1] and len(files[0]) > 2
