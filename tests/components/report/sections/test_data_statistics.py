"""What TFDV counted, as a report shows it: against numbers counted by hand."""

import json

import numpy as np
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import standard_artifacts

from mtlx.components.batch_statistics_gen.describe_columns import DescribeColumns
from mtlx.components.report.sections.data_statistics import load_statistics, sample_rates


def _described(*batches):
    """TFDV's statistics of batches of list columns, each added on its own and then merged."""
    combine = DescribeColumns()
    combine.setup()
    parts = [combine.add_input(combine.create_accumulator(), batch) for batch in batches]
    merged = combine.merge_accumulators([combine.compact(part) for part in parts])
    return combine.extract_output(merged)


def _batch(**columns):
    return pa.RecordBatch.from_arrays([pa.array(v) for v in columns.values()], list(columns))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The features of one split, by name."""
    first = _batch(
        price=[[1.0], [2.0], None, [0.0]],
        city=[[b"Berlin"], [b"\xc5\x81\xc3\xb3d\xc5\xba"], [b"Berlin"], None],
        clicks=[[b"a", b"b", b"c"], None, [b"a"], None],
    )
    second = _batch(price=[[7.0], [10.0]], city=[[b"Berlin"], [b"Ulm"]], clicks=[None, [b"b"] * 2])
    folder = tmp_path_factory.mktemp("statistics")
    (folder / "Split-train").mkdir()
    path = str(folder / "Split-train" / "FeatureStats.pb")
    with open(path, "wb") as file:
        file.write(_described(first, second).SerializeToString())
    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri, artifact.split_names = str(folder), json.dumps(["train"])
    (split,) = load_statistics(artifact)
    assert (split.split, split.rows) == ("train", 6)
    return {feature.name: feature for feature in split.features}


def test_numbers_have_their_moments_missing_rows_and_bars(loaded):
    price, values = loaded["price"], np.array([1.0, 2.0, 0.0, 7.0, 10.0])
    assert (price.kind, price.rows, price.missing, price.zeros) == ("number", 5, 1, 1)
    assert price.mean == pytest.approx(values.mean())
    assert price.deviation == pytest.approx(values.std())
    assert (price.minimum, price.maximum) == (0.0, 10.0)
    assert price.median == pytest.approx(2.0)
    # Ten bars, estimated from quantiles, that hold every value; none lies between 3 and 6.
    assert len(price.bars) == 10 and sum(price.bars) == pytest.approx(5, abs=0.05)
    assert sum(price.bars[3:6]) < 0.05
    assert price.top == () and price.distinct is None


def test_texts_have_their_most_frequent_values_and_their_ranks(loaded):
    city = loaded["city"]
    assert (city.kind, city.rows, city.missing, city.distinct) == ("text", 5, 1, 3)
    assert city.top[0] == ("Berlin", 3.0)
    assert {name for name, _ in city.top} == {"Berlin", "Łódź", "Ulm"}
    assert city.bars == (3.0, 1.0, 1.0)
    assert city.mean is None and city.values_per_row == 1.0


def test_sequences_tell_how_many_values_a_row_has(loaded):
    clicks = loaded["clicks"]
    assert (clicks.rows, clicks.missing) == (3, 3)
    assert clicks.values_per_row == pytest.approx((3 + 1 + 2) / 3)
    assert dict(clicks.top) == {"a": 2.0, "b": 3.0, "c": 1.0}


def test_statistics_of_parts_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    values = rng.normal(size=300)
    names = [f"v{number}".encode() for number in rng.integers(0, 20, 300)]

    def batch(rows):
        return _batch(x=[[values[row]] for row in rows], name=[[names[row]] for row in rows])

    whole = _described(batch(range(300)))
    parts = _described(batch(range(0, 300, 2)), batch(range(1, 300, 2)))
    for one, other in zip(whole.datasets[0].features, parts.datasets[0].features, strict=True):
        assert one.path == other.path
        if one.HasField("num_stats"):
            assert one.num_stats.mean == pytest.approx(values.mean())
            assert other.num_stats.mean == pytest.approx(values.mean())
            assert other.num_stats.std_dev == pytest.approx(values.std())
        else:
            assert one.string_stats.unique == other.string_stats.unique == len(set(names))


def test_features_of_bytes_and_of_an_unknown_name_are_shown(tmp_path):
    bytes_only = statistics_pb2.FeatureNameStatistics(name="image")
    bytes_only.bytes_stats.common_stats.num_non_missing = 2
    nested = statistics_pb2.FeatureNameStatistics(
        num_stats=statistics_pb2.NumericStatistics(mean=1.0)
    )
    nested.path.step.extend(["user", "age"])
    dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=3, features=[bytes_only, nested])
    data = statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset])
    (tmp_path / "Split-test").mkdir()
    (tmp_path / "Split-test" / "FeatureStats.pb").write_bytes(data.SerializeToString())
    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri, artifact.split_names = str(tmp_path), json.dumps(["test"])
    image, age = load_statistics(artifact)[0].features
    assert (image.name, image.kind, image.rows, image.missing) == ("image", "bytes", 2, 1)
    assert (age.name, age.bars, age.values_per_row) == ("user.age", (), 1.0)


def test_nobody_said_that_it_is_a_sample():
    assert sample_rates(standard_artifacts.ExampleStatistics()) == {}
