"""Files of vectors: what they may hold, and what is refused by name."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtlx.trainer.pretrained.vector_table import VectorTable


def _written(**columns):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def _read(content, size=2):
    return VectorTable.read(content, "v.parquet", size, "item")


def test_vectors_stand_by_value():
    table = _read(_written(value=["a", "größe", "gone"], vector=[[1, 2], [3, 4], [5, 6]]))
    vectors, known = table.of(["größe".encode(), b"new", b"a"])
    np.testing.assert_array_equal(vectors, [[3, 4], [0, 0], [1, 2]])
    assert known.tolist() == [True, False, True]


def test_ids_may_be_whole_numbers_and_vectors_of_any_list_type():
    fixed = pa.array([[0.5, 1.0], [2.0, 3.0]], pa.list_(pa.float32(), 2))
    vectors, known = _read(_written(value=[7, 8], vector=fixed)).of([b"8"])
    assert vectors.tolist() == [[2.0, 3.0]] and known.all()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no parquet", "features.item.pretrained.path: v.parquet cannot be read as Parquet"),
        (_written(val=["a"], vector=[[1, 2]]), "has no column 'value', did you mean 'val'"),
        (_written(value=["a"], vec=[[1, 2]]), "has no column 'vector', did you mean 'vec'"),
        (_written(value=["a", "b", "a"], vector=[[1, 2]] * 3), "1 values with several vectors, such as 'a'"),
        (_written(value=["a", None], vector=[[1, 2]] * 2), "has no value in row 2"),
        (_written(value=[1.5], vector=[[1, 2]]), "column 'value' of v.parquet is double"),
        (_written(value=["a"], vector=[1.0]), "column 'vector' of v.parquet is double: write lists"),
        (
            _written(value=["a", "b"], vector=[[1, 2], [1, 2, 3]]),
            "features.item.pretrained.size is 2, but the vector of 'b' in v.parquet has 3 numbers",
        ),
        (_written(value=["a"], vector=[[1.0, float("nan")]]), "the vector of 'a' in v.parquet holds"),
        (_written(value=["a"], vector=[[1.0, None]]), "the vector of 'a' in v.parquet holds"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(content, says):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the text is looked at)
        _read(content)
    assert says in str(error.value)
