"""MovieLens-1M by itself: what is joined, what is left out, in which order, and from where."""

import zipfile

import numpy as np
import pytest

from mtlx.components.log_example_gen.readers import movielens_1m
from mtlx.components.log_example_gen.readers.movielens_1m import MovieLens1M
from mtlx.components.log_example_gen.rejection import InputRefused

RATINGS = ["1::10::5::100", "1::20::3::101", "2::10::4::102", "3::20::1::103"]
USERS = ["1::F::1::3::48067", "2::M::25::4::70072", "3::M::56::5::55117"]
MOVIES = ["10::A (1990)::Drama|War", "20::B (1991)::Comedy"]


def _write(folder, ratings=RATINGS, users=USERS, movies=MOVIES):
    files = {"ratings.dat": ratings, "users.dat": users, "movies.dat": movies}
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), "latin-1")
    return [str(folder / name) for name in files]


def _read(files, columns, **options):
    """Values by column, lines, the rejected rows, and the batches themselves."""
    reader = MovieLens1M(**options)
    (shard,) = reader.shards(files)
    batches = list(reader.read(shard, columns))
    values = {
        name: [value for batch in batches for value in batch.columns[name].to_pylist()]
        for name in columns
    }
    lines = [line for batch in batches for line in batch.lines.tolist()]
    return values, lines, [row for batch in batches for row in batch.rejected], batches


def test_every_age_code_has_its_domain_and_every_rating_its_labels(tmp_path):
    ages = (1, 18, 25, 35, 45, 50, 56)
    users = [f"{number}::M::{age}::0::0" for number, age in enumerate(ages)]
    ratings = [f"{number % 7}::10::{number % 5 + 1}::0" for number in range(35)]
    values, *_ = _read(
        _write(tmp_path, ratings, users), ["age", "domain", "rating", "click", "like"]
    )
    rows = set(zip(values["age"], values["domain"], strict=True))
    assert rows == {
        (1, "under_25"), (18, "under_25"), (25, "25_34"), (35, "35_and_over"),
        (45, "35_and_over"), (50, "35_and_over"), (56, "35_and_over"),
    }  # fmt: skip
    labels = set(zip(values["rating"], values["click"], values["like"], strict=True))
    assert labels == {(1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 1, 0), (5, 1, 1)}


def test_a_rating_of_an_unknown_user_or_movie_is_there_without_their_columns(tmp_path):
    """It is the checks' to say that a row without a domain is malformed; none gets lost here."""
    ratings = [*RATINGS, "9::10::5::1", "1::99::5::2"]
    values, lines, rejected, _ = _read(
        _write(tmp_path, ratings), ["user_id", "domain", "gender", "genre"]
    )
    assert lines == [1, 2, 3, 4, 5, 6] and not rejected
    assert values["user_id"][4:] == [9, 1]
    assert (values["domain"][4], values["gender"][4], values["genre"][4]) == (None, None, "Drama")
    assert (values["domain"][5], values["genre"][5]) == ("under_25", None)


def test_m3oes_order_is_by_user_then_movie_in_the_order_of_their_first_appearance(tmp_path):
    """Written out: movies appear as 20, 10, 30; listed by them, users appear as 2, 3, 1."""
    users = [f"{number}::M::25::0::0" for number in (1, 2, 3)]
    movies = [f"{number}::M::Drama" for number in (10, 20, 30)]
    ratings = ["2::20::1::0", "1::10::2::0", "3::20::3::0", "2::30::4::0", "3::10::5::0",
               "1::30::1::0", "2::10::2::0"]  # fmt: skip
    files = _write(tmp_path, ratings, users, movies)
    values, lines, *_ = _read(files, ["user_id", "movie_id"], order="m3oe")
    assert list(zip(values["user_id"], values["movie_id"], strict=True)) == [
        (2, 20), (2, 10), (2, 30), (3, 20), (3, 10), (1, 10), (1, 30),
    ]  # fmt: skip
    # Each row keeps the line that it has in the file.
    assert lines == [1, 7, 4, 3, 5, 2, 6]
    assert _read(files, ["user_id"])[1] == [1, 2, 3, 4, 5, 6, 7]


def test_batches_cut_nothing_and_count_what_is_no_rating_once(tmp_path, monkeypatch):
    ratings = [f"{number % 3 + 1}::10::4::{number}" for number in range(10)]
    files = _write(tmp_path, [*ratings, "x::10::4::1"])
    monkeypatch.setattr(movielens_1m, "_BATCH_ROWS", 4)
    values, lines, rejected, batches = _read(files, ["timestamp"])
    assert [len(batch.lines) for batch in batches] == [4, 4, 2]
    assert values["timestamp"] == list(range(10)) and lines == list(range(1, 11))
    assert [(row.line, row.column, row.value) for row in rejected] == [(11, "user_id", "x")]
    # Ten ratings, one malformed, three users and two movies.
    assert sum(batch.counted for batch in batches) == 16
    assert [batch.aside.get("joined", 0) for batch in batches] == [5, 0, 0]


@pytest.mark.parametrize("value", ["1.5", "", "nan", "inf", "9007199254740993", "a", "-"])
def test_what_is_no_exact_integer_costs_its_row_alone(tmp_path, value):
    files = _write(tmp_path, [*RATINGS, f"1::10::5::{value}"])
    values, lines, (rejected,), _ = _read(files, ["timestamp"])
    assert lines == [1, 2, 3, 4] and values["timestamp"] == [100, 101, 102, 103]
    assert (rejected.line, rejected.column, rejected.reason) == (5, "timestamp", "not a number")
    assert rejected.value == value


def test_a_movie_that_stands_there_twice_doubles_no_rating(tmp_path):
    files = _write(tmp_path, movies=[*MOVIES, "10::Again::War"])
    values, lines, (rejected,), _ = _read(files, ["title"])
    assert lines == [1, 2, 3, 4] and values["title"][0] == "A (1990)"
    assert (rejected.file, rejected.line) == (files[2], 3)
    assert (rejected.column, rejected.reason) == ("movie_id", "stands there twice")


def test_ids_join_whatever_zeros_they_are_written_with(tmp_path):
    values, *_ = _read(_write(tmp_path, ["01::010::5::0"]), ["gender", "genre"])
    assert values == {"gender": ["F"], "genre": ["Drama"]}


def test_an_empty_file_is_refused_with_where_to_get_it(tmp_path):
    files = _write(tmp_path, users=[])
    with pytest.raises(InputRefused, match=r"users\.dat: is empty.*grouplens\.org"):
        _read(files, ["click"])


def test_a_column_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(InputRefused, match="no column 'zipp', did you mean 'zip'"):
        _read(_write(tmp_path), ["click", "zipp"])


def test_no_ratings_but_malformed_ones_are_one_batch_that_accounts_for_them(tmp_path):
    _, lines, rejected, batches = _read(_write(tmp_path, ["nothing"]), ["click", "domain"])
    assert lines == [] and len(batches) == 1
    assert [row.reason for row in rejected] == ["wrong number of values"]
    assert batches[0].counted == 1 + 3 + 2


def _zip(folder, names):
    path = folder / "ml-1m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(folder / name, f"ml-1m/{name}")
    return str(path)


def test_a_file_beside_the_archive_counts_before_the_one_in_it(tmp_path):
    files = _write(tmp_path)
    archive = _zip(tmp_path, ["ratings.dat", "users.dat", "movies.dat"])
    (tmp_path / "ratings.dat").write_text("1::10::1::7\n")
    assert _read([archive, files[0]], ["timestamp"])[0] == {"timestamp": [7]}
    assert len(_read([archive], ["timestamp"])[1]) == 4


def test_an_archive_without_one_of_the_files_names_it(tmp_path):
    _write(tmp_path)
    archive = _zip(tmp_path, ["ratings.dat", "movies.dat"])
    with pytest.raises(InputRefused, match=r"users\.dat is missing; get MovieLens-1M from"):
        _read([archive], ["click"])


def test_an_archive_damaged_in_the_middle_is_refused_by_name(tmp_path):
    noise = np.random.default_rng(0).integers(0, 10**9, 4000)
    _write(tmp_path, [f"1::10::5::{number}" for number in noise])
    archive = _zip(tmp_path, ["ratings.dat", "users.dat", "movies.dat"])
    data = bytearray((tmp_path / "ml-1m.zip").read_bytes())
    data[3000:3100] = bytes(100)
    (tmp_path / "ml-1m.zip").write_bytes(data)
    with pytest.raises(InputRefused, match=r"ml-1m\.zip: cannot be unpacked.*get it again from"):
        _read([archive], ["click"])


def test_the_folder_stands_for_the_archive_and_the_three_files(tmp_path):
    folder = tmp_path / "logs[1]"
    folder.mkdir()
    patterns = MovieLens1M().patterns(str(folder))
    # The brackets of a folder that exists are no pattern.
    assert patterns[0] == f"{tmp_path}/logs[[]1]/ml-1m.zip"
    assert [pattern.rpartition("/")[2] for pattern in patterns[1:]] == [
        "ratings.dat", "users.dat", "movies.dat",
    ]  # fmt: skip
    assert MovieLens1M().patterns("gs://bucket/ml")[1] == "gs://bucket/ml/ratings.dat"
