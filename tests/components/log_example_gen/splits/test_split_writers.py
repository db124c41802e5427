"""One file per split that has rows, whole or not at all."""

import pyarrow as pa
import pytest

from mtlx.components.example_batches import read_batches
from mtlx.components.log_example_gen.splits.split_writers import SplitWriters, split_folder


def _batch(*numbers):
    kind = pa.large_list(pa.int64())
    return pa.RecordBatch.from_arrays([pa.array([[n] for n in numbers], kind)], ["label"])


def _written(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _labels(path):
    batches = read_batches([str(path)], {"label": "int64"}, 100)
    return [row["label"][0] for batch in batches for row in batch.to_pylist()]


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "examples", tmp_path / "unfinished"


def test_each_split_has_its_rows_in_one_file_and_one_without_rows_has_none(folders):
    uri, unfinished = folders
    with SplitWriters(str(uri), str(unfinished), "data-0.gz") as writers:
        writers.write("train", _batch(1, 2))
        writers.write("test", _batch(3))
        writers.write("validation", _batch())
        writers.write("train", _batch(4))
        assert _written(uri) == []
    assert _written(uri) == ["Split-test/data-0.gz", "Split-train/data-0.gz"]
    assert _labels(uri / "Split-train" / "data-0.gz") == [1, 2, 4]
    assert split_folder(str(uri), "test") == str(uri / "Split-test")


def test_after_an_error_there_is_no_file_of_any_split(folders):
    uri, unfinished = folders
    with pytest.raises(RuntimeError, match="stopped"):
        with SplitWriters(str(uri), str(unfinished), "data-0.gz") as writers:
            writers.write("train", _batch(1))
            writers.write("test", _batch(2))
            raise RuntimeError("stopped")
    assert _written(uri) == []
