"""Paths with marks of patterns in them, and what a digest of files notices."""

import gzip
import os

import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import (
    as_written,
    content_digest,
    matching_files,
    open_unpacked,
)


@pytest.fixture
def logs(tmp_path):
    """Files in folders with and without marks, below a folder with some."""
    folder = tmp_path / "my [logs] ü"
    for name in ("day[1]/a.csv", "day1/a.csv", "day2/b[1].csv", "day2/b1.csv", "day2/c?.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("day[1]/*.csv", ["day[1]/a.csv"]),
        ("day[12]/a.csv", ["day1/a.csv"]),
        ("day2/b[1].csv", ["day2/b[1].csv"]),
        ("day2/b[123].csv", ["day2/b1.csv"]),
        ("day2/c?.csv", ["day2/c?.csv"]),
        ("day2/?1.csv", ["day2/b1.csv"]),
        ("day*/a.csv", ["day1/a.csv", "day[1]/a.csv"]),
        ("lost[1].csv", []),
    ],
)
def test_what_exists_as_it_is_written_is_no_pattern(logs, pattern, found):
    expected = [str(logs / name) for name in found]
    assert matching_files(str(logs / pattern)) == expected
    # The driver gives the executor patterns that were through it once.
    assert matching_files(as_written(str(logs / pattern))) == expected


def test_readers_take_folders_as_they_are_written(logs):
    for name, options in (("csv", {}), ("parquet", {})):
        (pattern,) = READERS.build(name, options).patterns(str(logs / "day[1]"))
        assert matching_files(pattern) == [str(logs / "day[1]" / "a.csv")]
    for name in ("census_income", "movielens_1m"):
        for pattern in READERS.build(name, {}).patterns(str(logs / "day[1]")):
            assert os.path.dirname(pattern) == as_written(str(logs / "day[1]"))


def test_gzip_is_seen_by_its_first_bytes(tmp_path):
    for name, data in (
        ("a.csv", gzip.compress(b"x")),
        ("a.csv.gz", b"x"),
        ("b", b""),
        ("c", b"\x1f"),
    ):
        (tmp_path / name).write_bytes(data)
        with open_unpacked(str(tmp_path / name)) as stream:
            assert stream.read() == (data if not data.startswith(b"\x1f\x8b") else b"x")


def test_a_digest_notices_another_content_of_the_same_size(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"

    def digest(data):
        path.write_bytes(data)
        return content_digest([str(path)])

    first = digest(b"a" * 100)
    assert digest(b"a" * 100) == first
    assert len({digest(b"a" * at + b"b" + b"a" * (99 - at)) for at in range(100)}) == 100
    digest(b"a" * 100)
    path.rename(tmp_path / "b.csv")
    assert content_digest([str(tmp_path / "b.csv")]) != first
    # Of a large file, places from the first byte to the last.
    module = "mtlx.components.log_example_gen.readers.files"
    monkeypatch.setattr(f"{module}._PLACES", 5)
    monkeypatch.setattr(f"{module}._PLACE_BYTES", 4)
    same = digest(b"a" * 100)
    noticed = [digest(b"a" * at + b"b" + b"a" * (99 - at)) != same for at in range(100)]
    assert sum(noticed) == 20 and noticed[0] and noticed[50] and noticed[99]
