import numpy as np
import pyarrow as pa
import pydantic
import pytest

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.spans.window_settings import SpanSplit
from mtlx.components.log_example_gen.splits import splitter
from mtlx.components.log_example_gen.splits.splitter import (
    SPLITS,
    Place,
    needs_positions,
    split_columns,
    with_columns,
    written_splits,
)


def _split(**settings):
    return DataSettings.read({"path": "x", "split": settings}).split


def assign(split, rows, place):
    return splitter.assign(split, rows, place).splits


def _place(file, count, first=0, total=0):
    """Rows that stand one behind the other in one file, which begins at position `first`."""
    lines = np.arange(1, count + 1)
    return Place(file, lines, first + lines - 1, total)


def _rows(count, **columns):
    return pa.table({"id": pa.array(range(count)), **columns})


def test_hash_keeps_a_key_together_in_the_given_shares():
    users = pa.array([f"u{i % 500}" for i in range(5000)])
    split = _split(by="hash", of="user", train=0.6, validation=0.2, test=0.2)
    assigned = assign(split, _rows(5000, user=users), _place("f", 5000))
    assert split_columns(split) == ["user"]
    per_user = {}
    for user, index in zip(users.to_pylist(), assigned, strict=True):
        per_user.setdefault(user, set()).add(int(index))
    assert all(len(indices) == 1 for indices in per_user.values())
    shares = np.bincount(assigned, minlength=3) / 5000
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.2], atol=0.06)


@pytest.mark.parametrize("shuffle", [False, True])
def test_row_split_does_not_depend_on_sharding(shuffle):
    split = _split(by="row", train=0.7, validation=0.2, test=0.1, shuffle=shuffle)
    assert needs_positions(split)
    whole = assign(split, _rows(1000), _place("f", 1000, 0, 1000))
    pieces = [
        assign(split, _rows(250), _place("f", 250, first, 1000)) for first in (0, 250, 500, 750)
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    shares = np.bincount(whole) / 1000
    np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.05 if shuffle else 1e-9)
    assert shuffle != bool((np.diff(whole) >= 0).all())


def test_file_split_and_drawn_validation_rows():
    split = _split(by="file", train=["day=0[12]/*"], test=["day=03/*"], validation_share=0.3)
    train = assign(split, _rows(2000), _place("/logs/day=01/a.csv", 2000))
    test = assign(split, _rows(2000), _place("/logs/day=03/a.csv", 2000))
    assert set(test) == {2}
    assert abs((train == 1).mean() - 0.3) < 0.05 and set(train) == {0, 1}
    moved = assign(split, _rows(2000), _place("/elsewhere/day=01/a.csv", 2000))
    np.testing.assert_array_equal(train, moved)


def test_validation_of_test_leaves_training_rows_whole():
    split = _split(by="file", train=["a"], test=["b"], validation_share=0.5, validation_of="test")
    assert set(assign(split, _rows(500), _place("/x/a", 500))) == {0}
    assert set(assign(split, _rows(500), _place("/x/b", 500))) == {1, 2}


def test_validation_key_keeps_users_together():
    users = pa.array([i % 50 for i in range(1000)])
    split = _split(by="file", train=["a"], test=["b"], validation_key="user")
    assigned = assign(split, _rows(1000, user=users), _place("/x/a", 1000)).reshape(20, 50)
    assert (assigned == assigned[0]).all() and set(assigned[0]) == {0, 1}


@pytest.mark.parametrize(
    ("patterns", "message"),
    [({"train": ["*"], "test": ["b"]}, "train and test"), ({"train": ["c"], "test": ["d"]}, "no ")],
)
def test_a_file_belongs_to_exactly_one_split(patterns, message):
    with pytest.raises(InputRefused, match=f"/x/b: .*into {message}"):
        assign(_split(by="file", **patterns), _rows(1), _place("/x/b", 1))


@pytest.mark.parametrize("values", [[10, 20, 30, 40], ["10", "20", "30", "40"]])
def test_time_split_by_numbers(values):
    split = _split(by="time", column="t", validation_from=20, test_from=35)
    assert list(assign(split, _rows(4, t=pa.array(values)), _place("f", 4))) == [0, 1, 1, 2]


def test_shares_add_up_to_one():
    with pytest.raises((ValueError, pydantic.ValidationError), match="add up to 1"):
        _split(by="row", train=0.8, validation=0.1, test=0.2)


def test_drawn_validation_rows_do_not_depend_on_sharding():
    split = _split(by="file", train=["a"], test=["b"], validation_share=0.3)
    whole = assign(split, _rows(900), _place("/x/a", 900))
    for first in range(0, 900, 300):
        lines = np.arange(first + 1, first + 301)
        part = assign(split, _rows(300), Place("/x/a", lines))
        np.testing.assert_array_equal(part, whole[first : first + 300])


def test_a_key_has_one_split_whatever_its_column_type():
    split = _split(by="hash", of="user")
    keys = list(range(300))
    as_integers = assign(split, _rows(300, user=pa.array(keys)), _place("f", 300))
    as_text = assign(split, _rows(300, user=pa.array([str(key) for key in keys])), _place("f", 300))
    with_null = assign(split, _rows(301, user=pa.array([*keys, None])), _place("f", 301))
    np.testing.assert_array_equal(as_integers, as_text)
    np.testing.assert_array_equal(as_integers, with_null[:300])


@pytest.mark.parametrize("by", ["hash", "file"])
def test_a_users_rows_stay_together_whether_the_id_is_an_integer_or_a_double(by):
    """A null makes doubles of a shard's integers; the missing key has one split of its own."""
    if by == "hash":
        split, file = _split(by="hash", of="user"), "f"
    else:
        split = _split(by="file", train=["a"], test=["b"], validation_key="user")
        file = "/x/a"
    keys = [5, 1234567890123, *range(10**15, 10**15 + 300), 2**53]
    kinds = [pa.int64(), pa.float64(), pa.decimal128(20, 2), pa.string()]
    shards = [
        pa.array([str(key) for key in keys] if kind == pa.string() else keys, kind)
        for kind in kinds
    ]
    shards.append(shards[0].dictionary_encode())
    found = [
        assign(split, _rows(len(keys), user=shard), _place(file, len(keys))) for shard in shards
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    assert len(set(found[0])) > 1
    nulls = pa.array([None, float("nan"), 1.5e9])
    missing = assign(split, _rows(3, user=nulls), _place(file, 3))
    empty = assign(split, _rows(1, user=pa.array([""])), _place(file, 1))
    assert missing[0] == missing[1] == empty[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.5], r"f:2: column 'user' of data.split: rows of one key.*fraction.*'2.5'"),
        ([1.0, 2.0**53 + 2], r"f:2: column 'user'.*exactly up to 9007199254740992"),
        ([[1], [2]], r"f: column 'user' of data.split: its type list"),
    ],
)
def test_a_key_that_is_none_is_refused(values, message):
    with pytest.raises(InputRefused, match=message):
        assign(_split(by="hash", of="user"), _rows(2, user=pa.array(values)), _place("f", 2))


def test_a_pattern_matches_from_a_folder_boundary_on():
    split = _split(by="file", train=["latest.csv"], test=["test.csv"])
    assert set(assign(split, _rows(5), _place("/x/latest.csv", 5))) <= {0, 1}
    assert set(assign(split, _rows(5), _place("/x/test.csv", 5))) == {2}


def test_features_stand_for_their_columns():
    split = _split(by="file", train=["a"], test=["b"], validation_key="user")
    assert split_columns(with_columns(split, {"user": "uid"}.get)) == ["uid"]


def test_at_least_one_path():
    with pytest.raises(ValueError, match="path"):
        DataSettings.read({"path": [], "split": {"by": "row"}})


def test_with_a_window_rows_train_or_validate_whatever_their_span_will_be_for():
    split = SpanSplit(by="span", validation_share=0.25, seed=3)
    lines = np.arange(1, 4001)
    place = Place("/logs/day=1/a.csv", lines)
    assigned = assign(split, pa.table({"x": lines}), place)
    assert written_splits(split) == ("train", "validation") != SPLITS
    assert set(assigned) == {0, 1}
    assert 0.22 < (assigned == 1).mean() < 0.28
    # The same lines again where the file lies in another folder: the draw is of its name.
    moved = assign(split, pa.table({"x": lines}), Place("/elsewhere/a.csv", lines))
    assert (moved == assigned).all()


def test_with_a_window_all_rows_of_a_key_stay_together():
    split = SpanSplit(by="span", validation_share=0.5, validation_key="user")
    users = pa.table({"user": [str(number % 40) for number in range(400)]})
    assert split_columns(split) == ["user"]
    days = [
        assign(split, users, Place(f"/logs/day={day}/a.csv", np.arange(1, 401))) for day in (1, 2)
    ]
    assert (days[0] == days[1]).all()
    assert len(set(zip(users["user"].to_pylist(), days[0].tolist(), strict=True))) == 40
