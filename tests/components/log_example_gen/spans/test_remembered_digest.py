"""Files of old spans are not read again to tell that they are the same."""

import json
import os

import pytest

from mtlx.components.log_example_gen.readers.files import content_digest
from mtlx.components.log_example_gen.spans import remembered_digest as module
from mtlx.components.log_example_gen.spans.remembered_digest import remembered_digest


@pytest.fixture
def logs(tmp_path):
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for file in files:
        file.write_text("x\n1\n")
    return [str(file) for file in files]


@pytest.fixture
def read(monkeypatch):
    """Lists of files that were read, one per time."""
    times = []

    def digest(files):
        times.append(files)
        return content_digest(files)

    monkeypatch.setattr(module, "content_digest", digest)
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0.0)
    return times


def test_files_are_read_once(logs, read, tmp_path):
    folder = str(tmp_path / "memory")
    first = remembered_digest(logs, folder)
    assert first == content_digest(logs)
    assert remembered_digest(logs, folder) == first
    assert read == [logs]


def test_a_file_of_the_same_size_and_time_is_noticed(logs, read, tmp_path):
    folder = str(tmp_path / "memory")
    first = remembered_digest(logs, folder)
    before = os.stat(logs[0])
    with open(logs[0], "w") as file:
        file.write("x\n2\n")
    os.utime(logs[0], ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(logs[0])
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert remembered_digest(logs, folder) == content_digest(logs) != first
    assert len(read) == 2


def test_other_files_are_remembered_beside_them(logs, read, tmp_path):
    folder = str(tmp_path / "memory")
    digests = [remembered_digest(files, folder) for files in (logs, logs[:1], logs, logs[:1])]
    assert digests[:2] == digests[2:] and len(set(digests)) == 2
    assert read == [logs, logs[:1]]


def test_nothing_is_remembered_of_files_that_may_change_within_the_clocks_tick(
    logs, read, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "SETTLED_SECONDS", 60.0)
    folder = tmp_path / "memory"
    remembered_digest(logs, str(folder))
    remembered_digest(logs, str(folder))
    assert len(read) == 2 and not folder.exists()


@pytest.mark.parametrize("text", ["", "no JSON", "[]", json.dumps({"digest": 7})])
def test_a_memory_that_cannot_be_read_is_none(logs, read, tmp_path, text):
    folder = tmp_path / "memory"
    first = remembered_digest(logs, str(folder))
    (file,) = folder.iterdir()
    file.write_text(text)
    assert remembered_digest(logs, str(folder)) == first
    assert len(read) == 2


def test_a_name_that_is_no_text_is_remembered(read, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.csv"
    with open(name, "w") as file:
        file.write("x\n")
    files, folder = [os.fsdecode(name)], str(tmp_path / "memory")
    assert remembered_digest(files, folder) == remembered_digest(files, folder)
    assert len(read) == 1


def test_files_of_other_file_systems_are_not_looked_at(tmp_path):
    files = ["gs://bucket/a.csv"]
    assert remembered_digest(files, str(tmp_path / "memory")) == content_digest(files)
    assert not (tmp_path / "memory").exists()
