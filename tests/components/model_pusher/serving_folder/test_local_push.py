"""A push into a folder: whole, numbered by counting on, recognised by what it holds."""

import fcntl
import json
import multiprocessing
import os
import re
from pathlib import Path

import pytest

from mtlx.components.model_pusher.model_files import RECORD_FILE, model_digest, model_files
from mtlx.components.model_pusher.serving_folder.folder_lock import open_lock, take
from mtlx.components.model_pusher.serving_folder.local_push import STATE_FOLDER, LocalPush
from mtlx.components.model_pusher.serving_folder.push import push, served_as
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.pushed_version import PushFailed
from mtlx.components.model_pusher.serving_folder.version_number import NoNumberLeft


@pytest.fixture
def base(tmp_path):
    return tmp_path / "serving"


def _versions(base):
    return sorted(int(path.name) for path in base.iterdir() if path.name.isdecimal())


def test_a_version_holds_the_model_and_says_where_it_comes_from(base, make_model):
    model = make_model("a")
    version = push(model, str(base), "run-1")
    assert (version.number, version.path, version.is_new) == (1, str(base / "1"), True)
    assert model_files(version.path) == model_files(model)
    assert model_digest(version.path) == model_digest(model)
    record = PushRecord.load(version.path)
    assert (record.model, record.digest, record.run_id) == (model, model_digest(model), "run-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", record.pushed_at)
    # Nothing of the push stays but what the next one needs to know.
    assert sorted(os.listdir(base / STATE_FOLDER)) == ["highest", "lock"]


def test_numbers_go_on_after_time_stamps_whatever_the_clock_says(base, make_model, monkeypatch):
    (base / "1795723943").mkdir(parents=True)
    monkeypatch.setattr("time.time", lambda: 1.0)
    assert push(make_model("a"), str(base)).number == 1795723944
    assert push(make_model("b"), str(base)).number == 1795723945


def test_the_number_of_a_removed_version_is_not_used_again(base, make_model):
    push(make_model("a"), str(base))
    newest = push(make_model("b"), str(base))
    LocalPush(str(base)).newest()
    for path in Path(newest.path).rglob("*"):
        if path.is_file():
            path.unlink()
    os.rename(newest.path, base.parent / "removed")
    assert push(make_model("c"), str(base)).number == 3


def test_the_newest_model_is_not_pushed_again_but_an_older_one_is(base, make_model):
    a, b = make_model("a"), make_model("b")
    first = push(a, str(base))
    again = push(a, str(base))
    assert (again.path, again.is_new) == (first.path, False)
    second = push(b, str(base))
    assert served_as(a, str(base)) is None
    # Rolled back: the older model becomes the newest version.
    third = push(a, str(base))
    assert (second.number, third.number, third.is_new) == (2, 3, True)
    assert served_as(a, str(base)).path == third.path


def test_a_part_that_another_pusher_left_is_not_taken_for_the_model(base, make_model):
    model = make_model("a")
    part = base / "7" / "assets"
    part.mkdir(parents=True)
    (part / "vocabulary").write_bytes(b"a\nb\n")
    version = push(model, str(base))
    assert (version.number, version.is_new) == (8, True)


def test_the_same_sizes_with_other_weights_are_another_model(base, make_model):
    assert push(make_model("a"), str(base)).number == 1
    other = make_model("b")
    assert model_files(other) == model_files(str(base / "1"))
    assert push(other, str(base)).number == 2


def _push_in_a_process(model, base, barrier, results):
    barrier.wait()
    version = push(model, base)
    results.put((model, version.number, version.path))


def test_pushes_at_the_same_moment_never_share_a_number(base, make_model):
    models = [make_model(name) for name in "abcdef"]
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(len(models)), context.Queue()
    processes = [
        context.Process(target=_push_in_a_process, args=(model, str(base), barrier, results))
        for model in models
    ]
    for process in processes:
        process.start()
    done = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(number for _, number, _ in done) == [1, 2, 3, 4, 5, 6]
    for model, _, path in done:
        assert model_digest(path) == model_digest(model)


def test_leftovers_of_the_dead_go_and_a_push_under_way_stays(base, make_model):
    push(make_model("a"), str(base))
    state = base / STATE_FOLDER
    for name in ("dead", "alive"):
        (state / name).mkdir()
        (state / name / "saved_model.pb").write_bytes(b"part")
    (state / "dead.lock").touch()
    with open_lock(str(state / "alive.lock")) as guard:
        assert take(guard, wait=False)
        push(make_model("b"), str(base))
        assert sorted(os.listdir(state)) == ["alive", "alive.lock", "highest", "lock"]
    push(make_model("c"), str(base))
    assert sorted(os.listdir(state)) == ["highest", "lock"]


def test_a_failing_push_leaves_no_version_and_no_copy(base, make_model, monkeypatch):
    model = make_model("a")
    monkeypatch.setattr(PushRecord, "save", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        push(model, str(base))
    assert _versions(base) == []
    assert os.listdir(base / STATE_FOLDER) == ["lock"]


def test_a_disk_that_is_full_in_the_middle_leaves_no_version(mount, make_model):
    disk = mount("size=300k")
    base = disk / "serving"
    push(make_model("small"), str(base))
    with pytest.raises(OSError, match="No space left on device"):
        push(make_model("large", 100_000), str(base))
    assert _versions(base) == [1]
    assert sorted(os.listdir(base / STATE_FOLDER)) == ["highest", "lock"]
    assert push(make_model("other"), str(base)).number == 2


def test_without_locks_numbers_are_still_not_shared(base, make_model, monkeypatch):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    (base / STATE_FOLDER).mkdir(parents=True)
    (base / STATE_FOLDER / "other.lock").touch()
    # Another process takes number 1 between the look and the rename.
    pushes = LocalPush(str(base))
    largest = pushes._largest
    monkeypatch.setattr(pushes, "_largest", lambda: (largest(), _take(base / "1"))[0])
    assert pushes.push(make_model("a"), PushOrder()).number == 2
    assert (base / "1" / "theirs").exists()
    assert (base / STATE_FOLDER / "other.lock").exists()


def _take(folder):
    folder.mkdir()
    (folder / "theirs").touch()


def test_a_model_that_changes_while_it_is_copied_is_not_pushed(base, make_model, monkeypatch):
    model = make_model("a")

    def change_after(digest_of):
        def function(folder):
            digest = digest_of(folder)
            if folder == model:
                Path(model, "assets/vocabulary").write_bytes(b"b\na\n")
            return digest

        return function

    name = "mtlx.components.model_pusher.serving_folder.local_push.model_digest"
    monkeypatch.setattr(name, change_after(model_digest))
    with pytest.raises(PushFailed, match="changed in between"):
        push(model, str(base))
    assert _versions(base) == []


def test_what_is_no_saved_model_is_refused(base, make_model):
    model = make_model("a")
    Path(model, "saved_model.pb").unlink()
    with pytest.raises(PushFailed, match="no SavedModel"):
        push(model, str(base))
    assert not base.exists()


def test_a_broken_memory_of_numbers_stops_with_the_remedy(base, make_model):
    push(make_model("a"), str(base))
    (base / STATE_FOLDER / "highest").write_text("", encoding="ascii")
    with pytest.raises(PushFailed, match="highest.*remove the file"):
        push(make_model("b"), str(base))
    assert _versions(base) == [1]


def test_the_largest_number_of_all_is_an_end(base, make_model):
    (base / str(2**63 - 1)).mkdir(parents=True)
    with pytest.raises(NoNumberLeft, match="remove it"):
        push(make_model("a"), str(base))


def test_what_the_model_brings_beside_itself_is_kept(base, make_model):
    model = make_model("a")
    extra = Path(model, "assets.extra")
    extra.mkdir()
    (extra / "tf_serving_warmup_requests").write_bytes(b"warm")
    version = push(model, str(base))
    assert Path(version.path, "assets.extra/tf_serving_warmup_requests").read_bytes() == b"warm"
    # A pushed version, record and all, is the same model when it is pushed elsewhere.
    other = push(version.path, str(base.parent / "other"))
    assert json.loads(Path(other.path, RECORD_FILE).read_text())["digest"] == model_digest(model)
