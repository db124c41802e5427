"""Files of examples as Arrow batches: what is missing, how rows are cut, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from mtlx.components.example_batches import (
    contract_columns,
    file_groups,
    read_batches,
    split_files,
)
from mtlx.components.example_writer import ExampleWriter
from mtlx.transform.contract.data_contract import DataContract

COLUMNS = {"name": "string", "price": "float32", "label": "int64"}
#: A row without any value, one with two values, one with an empty text, other scripts.
ROWS = [
    {"name": [b"a"], "price": [1.5], "label": [1]},
    {},
    {"name": [b"b", b"c"], "price": [], "label": [0]},
    {"name": [b""], "price": [-0.0], "label": [-(2**62)]},
    {"name": ["男".encode(), b"\xff"], "price": [np.inf], "label": [2**62]},
]


def _feature(values):
    if values and isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if values and isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    if values:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature()


def _serialized(row):
    features = tf.train.Features(feature={name: _feature(v) for name, v in row.items()})
    return tf.train.Example(features=features).SerializeToString()


def _write(path, rows):
    with tf.io.TFRecordWriter(str(path), "GZIP" if str(path).endswith(".gz") else "") as writer:
        for row in rows:
            writer.write(_serialized(row))
    return str(path)


def _rows(batches):
    """Rows as written; null and absent are both no value."""
    return [
        {name: values for name, values in row.items() if values}
        for batch in batches
        for row in batch.to_pylist()
    ]


EXPECTED = [{name: values for name, values in row.items() if values} for row in ROWS]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_rows_come_in_their_order_in_batches_that_span_files(tmp_path, batch_size):
    files = [_write(tmp_path / "a.gz", ROWS[:2]), _write(tmp_path / "b.gz", ROWS[2:])]
    batches = list(read_batches(files, COLUMNS, batch_size))
    assert _rows(batches) == EXPECTED
    full, rest = divmod(len(ROWS), batch_size)
    assert [batch.num_rows for batch in batches] == [batch_size] * full + [rest] * bool(rest)


def test_a_row_without_values_is_null_as_other_readers_have_it(tmp_path):
    (batch,) = read_batches([_write(tmp_path / "a", ROWS)], COLUMNS, 10)
    assert batch.column("price").is_null().to_pylist() == [False, True, True, False, False]
    assert [str(kind) for kind in batch.schema.types] == [
        "large_list<item: large_binary>", "large_list<item: float>", "large_list<item: int64>",
    ]  # fmt: skip


def test_the_raw_rows_stand_beside_their_columns(tmp_path):
    file = _write(tmp_path / "a.gz", ROWS)
    (batch,) = read_batches([file], {"label": "int64"}, 10, raw_column="raw")
    assert batch.column("raw").to_pylist() == [[_serialized(row)] for row in ROWS]
    (alone,) = read_batches([file], {}, 10, raw_column="raw")
    assert alone.schema.names == ["raw"] and alone.num_rows == 5


def test_a_file_without_rows_gives_no_batch(tmp_path):
    assert list(read_batches([_write(tmp_path / "a.gz", [])], COLUMNS, 10)) == []


def test_a_sample_is_the_same_in_every_run_and_about_its_share(tmp_path):
    file = _write(tmp_path / "a.gz", [{"label": [number]} for number in range(2000)])
    drawn = [
        [row["label"][0] for row in _rows(read_batches([file], {"label": "int64"}, 500, None, 0.3))]
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1] == sorted(drawn[0])
    # 600 of 2000, with a standard deviation of 20.
    assert 500 < len(drawn[0]) < 700
    # Other rows of every batch, not the same places again.
    places = [{number % 500 for number in drawn[0] if number // 500 == part} for part in range(4)]
    assert places[0] != places[1]


def test_a_column_of_another_type_than_the_examples_hold_is_an_error(tmp_path):
    file = _write(tmp_path / "a.gz", [{"price": [1.5]}])
    with pytest.raises(tf.errors.InvalidArgumentError, match="price"):
        list(read_batches([file], {"price": "string"}, 10))


def test_every_file_is_in_one_group():
    for count in (0, 1, 63, 64, 65, 300):
        files = [f"f{number}" for number in range(count)]
        groups = file_groups(files)
        assert sorted(sum(groups, [])) == sorted(files)
        assert len(groups) == min(count, 64) and all(groups)
        # None has more than one file more than another.
        assert not groups or max(map(len, groups)) - min(map(len, groups)) <= 1


def test_files_of_a_split_without_those_that_are_hidden_or_unfinished(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    for name in ("a/data-2.gz", "a/.hidden", "a/_SUCCESS", "b/data-1.gz"):
        (tmp_path / name).write_bytes(b"")
    uris = [str(tmp_path / "b"), str(tmp_path / "a")]
    # Folder by folder, in the order in which they are given.
    assert split_files(uris, "test") == [f"{tmp_path}/b/data-1.gz", f"{tmp_path}/a/data-2.gz"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="split 'test' has no files in .*empty.*data settings"):
        split_files([str(tmp_path / "empty")], "test")


def test_the_types_are_those_that_the_log_is_written_in():
    contract = DataContract.read(
        {
            "features": {
                "id": {"kind": "categorical", "column": "user"},
                "age": {"kind": "numeric"},
                "seen": {"kind": "sequence", "of": "id", "max_length": 3},
            },
            "tasks": {"click": {"label": "clicked"}},
        }
    )
    assert contract_columns(contract) == {
        "id": tf.string, "age": tf.float32, "seen": tf.string, "clicked": tf.int64,
    }  # fmt: skip


def _batch(first, rows):
    numbers = range(first, first + rows)
    return pa.RecordBatch.from_arrays(
        [
            pa.array([[number] for number in numbers], pa.large_list(pa.int64())),
            pa.array([[str(number).encode()] for number in numbers], pa.large_list(pa.large_binary())),
        ],
        ["label", "name"],
    )  # fmt: skip


def test_what_is_written_is_read_in_its_order_over_many_slices(tmp_path):
    path = str(tmp_path / "out" / "data.gz")
    with ExampleWriter(path, str(tmp_path / "unfinished")) as writer:
        writer.write(_batch(0, 5000))
        writer.write(_batch(0, 0))
        writer.write(_batch(5000, 3))
    rows = _rows(read_batches([path], {"label": "int64", "name": "string"}, 4096))
    assert [row["label"] for row in rows] == [[number] for number in range(5003)]
    assert rows[4999]["name"] == [b"4999"]
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_after_an_error_no_file_stands_under_the_name(tmp_path):
    path = tmp_path / "out" / "data.gz"
    path.parent.mkdir()
    path.write_bytes(b"the one before")
    with pytest.raises(RuntimeError, match="stopped"):
        with ExampleWriter(str(path), str(tmp_path / "unfinished")) as writer:
            writer.write(_batch(0, 10))
            raise RuntimeError("stopped")
    assert path.read_bytes() == b"the one before"


def test_an_error_of_the_encoder_is_raised_and_leaves_no_file(tmp_path):
    path = tmp_path / "out" / "data.gz"
    no_list = pa.RecordBatch.from_arrays([pa.array([1, 2])], ["label"])
    with pytest.raises(Exception, match="label|list|type"):
        with ExampleWriter(str(path), str(tmp_path / "unfinished")) as writer:
            writer.write(no_list)
    assert not path.exists()
