"""A push to a URI, object by object, the model last (``file://``, as TensorFlow opens it)."""

import dataclasses
import json
import time

import pytest

from mtlx.components.model_pusher.model_files import model_digest, model_files
from mtlx.components.model_pusher.pushing_process import GIVEN_UP_AFTER, PushingProcess
from mtlx.components.model_pusher.serving_folder import object_push
from mtlx.components.model_pusher.serving_folder.files import RemoteFiles
from mtlx.components.model_pusher.serving_folder.local_push import STATE_FOLDER
from mtlx.components.model_pusher.serving_folder.push import push, served_as
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.pushed_version import PushFailed


@pytest.fixture
def base(tmp_path):
    return f"file://{tmp_path}/serving"


def _write(path, text):
    RemoteFiles().write(path, [text.encode()])


def _process(**changes):
    return json.dumps(dataclasses.asdict(dataclasses.replace(PushingProcess.this(), **changes)))


def _versions(base):
    return sorted(name for name in RemoteFiles().names(base) if name.isdecimal())


def test_versions_are_numbered_and_recognised_as_in_a_folder(base, make_model):
    a, b = make_model("a"), make_model("b")
    first = push(a, base, "run-1")
    assert (first.number, first.path, first.is_new) == (1, f"{base}/1", True)
    assert model_digest(first.path) == model_digest(a)
    assert PushRecord.load(first.path).run_id == "run-1"
    assert not push(a, base).is_new
    assert push(b, base).number == 2
    assert served_as(a, base) is None and served_as(b, base).number == 2
    assert push(a, f"{base}/").number == 3
    assert RemoteFiles().names(f"{base}/{STATE_FOLDER}/copies") == []


def test_what_makes_it_a_model_comes_last(base, make_model, monkeypatch):
    seen = []
    rename = RemoteFiles.rename

    def watched(self, source, target):
        path = target.rsplit("/1/", 1)[0] + "/1"
        seen.append(RemoteFiles().names(path))
        rename(self, source, target)

    monkeypatch.setattr(RemoteFiles, "rename", watched)
    version = push(make_model("a"), base)
    assert len(seen) == len(model_files(version.path)) + 1  # and the record
    assert not any("saved_model.pb" in names for names in seen)


def test_a_number_that_two_want_is_nobodys(base, make_model, monkeypatch):
    write = RemoteFiles.write

    def other_as_well(self, path, pieces):
        write(self, path, pieces)
        if f"{STATE_FOLDER}/claims/1/" in path:
            write(self, f"{base}/{STATE_FOLDER}/claims/1/other.json", [_process().encode()])

    monkeypatch.setattr(RemoteFiles, "write", other_as_well)
    assert push(make_model("a"), base).number == 2


def test_when_numbers_are_always_taken_the_push_gives_up(base, make_model, monkeypatch):
    monkeypatch.setattr(object_push, "_CLAIM_TRIES", 2)
    write = RemoteFiles.write

    def other_as_well(self, path, pieces):
        write(self, path, pieces)
        if f"{STATE_FOLDER}/claims/" in path:
            write(self, f"{path}.other", [_process().encode()])

    monkeypatch.setattr(RemoteFiles, "write", other_as_well)
    with pytest.raises(PushFailed, match="2 numbers were wanted by other pushes"):
        push(make_model("a"), base)
    assert _versions(base) == []


def test_the_number_of_a_removed_version_is_not_used_again(base, make_model):
    push(make_model("a"), base)
    RemoteFiles().remove(push(make_model("b"), base).path)
    assert push(make_model("c"), base).number == 3


def test_leftovers_of_the_dead_go_and_the_others_stay(base, make_model):
    state = f"{base}/{STATE_FOLDER}"
    dead = {"pid": 2**22 + 1}
    elsewhere = {"place": "another machine"}
    long_ago = time.time() - GIVEN_UP_AFTER - 60
    for number, (name, changes) in enumerate(
        {
            "dead": dead,
            "alive": {},
            "far": elsewhere,
            "far-and-old": {**elsewhere, "at": long_ago},
        }.items(),
        start=1,
    ):
        _write(f"{state}/copies/{name}/process.json", _process(**changes))
        _write(f"{state}/copies/{name}/model/variables/part", "part")
        _write(f"{state}/claims/{number}/{name}.json", _process(**changes))
        _write(f"{base}/{number}/variables/part", "part")
    _write(f"{base}/5/variables/part", "of another program")
    _write(f"{base}/6/saved_model.pb", "whole, of a process that ended")
    _write(f"{state}/claims/6/dead.json", _process(**dead))

    assert push(make_model("a"), base).number == 7
    assert sorted(RemoteFiles().names(f"{state}/copies")) == ["alive", "far"]
    assert _versions(base) == ["2", "3", "5", "6", "7"]


def test_an_error_in_the_middle_leaves_no_version_and_no_copy(base, make_model, monkeypatch):
    rename = RemoteFiles.rename

    def failing(self, source, target):
        if target.endswith("saved_model.pb"):
            raise OSError("quota")
        rename(self, source, target)

    monkeypatch.setattr(RemoteFiles, "rename", failing)
    with pytest.raises(OSError, match="quota"):
        push(make_model("a"), base)
    assert _versions(base) == []
    assert RemoteFiles().names(f"{base}/{STATE_FOLDER}/copies") == []


def test_errors_of_tensorflow_are_those_of_files(base):
    with pytest.raises(FileNotFoundError):
        b"".join(RemoteFiles().read(f"{base}/absent"))
    with pytest.raises(OSError, match="File system scheme 'unknown' not implemented"):
        _write("unknown://x/y", "text")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        RemoteFiles().sizes(f"{base}/absent")


def test_a_process_is_told_from_a_later_one_with_its_id():
    this = PushingProcess.this()
    assert not this.is_dead
    assert dataclasses.replace(this, started=this.started - 1).is_dead
