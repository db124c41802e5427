"""Counts of values: exact where there are few, of a bounded size where there are many."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.batch_statistics_gen import value_counts
from mtlx.components.batch_statistics_gen.split_counts import SplitCounts
from mtlx.components.batch_statistics_gen.value_counts import (
    MOST_NUMBERS,
    NumberCounts,
    TextCounts,
    number_of,
)


def _texts(values):
    return pa.array([value.encode() for value in values], pa.large_binary())


def _as_counter(found):
    return Counter(dict(zip(found.values.to_pylist(), found.counts.tolist(), strict=True)))


def test_texts_of_several_batches_are_counted_exactly():
    random = np.random.default_rng(0)
    values = [f"i{number}" for number in random.zipf(1.5, 3000) % 500]
    parts = [TextCounts.of(_texts(values[start::4])) for start in range(4)]
    merged = TextCounts.merged([TextCounts.merged(parts[:3]), parts[3]])
    assert merged.level == 0
    assert _as_counter(merged) == Counter(value.encode() for value in values)


def test_of_too_many_texts_the_same_ones_are_kept_whatever_the_order(monkeypatch):
    monkeypatch.setattr(value_counts, "MOST_TEXTS", 100)
    random = np.random.default_rng(0)
    values = [f"i{number}" for number in random.integers(0, 1000, 5000)]
    whole = TextCounts.of(_texts(values))
    parts = [TextCounts.of(_texts(values[start::7])) for start in range(7)]
    merged = TextCounts.merged([TextCounts.merged(parts[:2]), TextCounts.merged(parts[:1:-1])])
    assert (merged.level, _as_counter(merged)) == (whole.level, _as_counter(whole))
    assert 30 < len(whole.values) <= 100 and whole.level > 0
    true = Counter(value.encode() for value in values)
    assert all(true[value] == count for value, count in _as_counter(whole).items())


def test_numbers_with_few_values_are_exact_negative_ones_and_zeros_too():
    numbers = np.array([0.0, -0.0, 3.5, -2.0, np.nan, 3.5, 1e-30, -1e30], np.float32)
    found = NumberCounts.merged([NumberCounts.of(numbers[:4]), NumberCounts.of(numbers[4:])])
    values = [number_of(int(code), found.level) for code in found.codes]
    assert values == [np.float32(v) for v in (-1e30, -2.0, 0.0, 1e-30, 3.5)]
    assert found.counts.tolist() == [1, 1, 2, 1, 2]


@pytest.mark.parametrize("shape", ["normal", "heavy", "zeros", "years"])
def test_of_many_numbers_the_shape_is_kept_and_the_order_makes_no_difference(shape):
    random = np.random.default_rng(1)
    numbers = random.normal(size=60_000)
    if shape == "heavy":
        numbers = np.exp(4 * numbers)
    if shape == "zeros":
        numbers[random.random(60_000) < 0.9] = 0.0
    if shape == "years":
        numbers = 2000 + (10 * numbers).round()
    numbers = numbers.astype(np.float32)
    whole = NumberCounts.of(numbers)
    parts = [NumberCounts.of(numbers[start::6]) for start in range(6)]
    merged = NumberCounts.merged([parts[5], NumberCounts.merged(parts[:5])])
    assert merged.level == whole.level
    assert merged.codes.tolist() == whole.codes.tolist()
    assert merged.counts.tolist() == whole.counts.tolist()
    assert whole.counts.sum() == 60_000 and len(whole.codes) <= MOST_NUMBERS
    assert (whole.level == 0) == (shape == "years")
    # The same quantiles, to the precision of the codes.
    values = np.repeat([number_of(int(code), whole.level) for code in whole.codes], whole.counts)
    for share in (0.01, 0.3, 0.5, 0.97):
        true = np.quantile(numbers, share)
        assert np.quantile(values, share) == pytest.approx(true, rel=0.02, abs=1e-3)
    assert np.count_nonzero(values == 0) == np.count_nonzero(numbers == 0)


def test_nothing_is_counted_of_nothing():
    none = NumberCounts.of(np.zeros(0, np.float32))
    assert NumberCounts.merged([none, none]).counts.tolist() == []
    empty = TextCounts.of(_texts([]))
    assert len(TextCounts.merged([empty, empty]).values) == 0
    assert SplitCounts.merged([]) == SplitCounts()


def test_what_is_written_is_read_again(tmp_path):
    found = SplitCounts(
        9,
        {"item": 8, "price": 3},
        {"item": TextCounts.of(_texts(["a", "b", "a"])), "none": TextCounts.of(_texts([]))},
        {"price": NumberCounts.of(np.array([1.0, -2.0, 1.0], np.float32)).at_level(3)},
        {"click": {"": (9, 2), "größe": (4, 1)}},
    )
    assert SplitCounts.load(str(tmp_path)) is None
    found.save(str(tmp_path))
    read = SplitCounts.load(str(tmp_path))
    assert (read.rows, read.present, read.labels) == (9, found.present, found.labels)
    assert _as_counter(read.texts["item"]) == {b"a": 2, b"b": 1}
    assert len(read.texts["none"].values) == 0
    assert read.numbers["price"].level == 3
    assert read.numbers["price"].codes.tolist() == found.numbers["price"].codes.tolist()
    assert read.numbers["price"].counts.tolist() == [1, 2]
