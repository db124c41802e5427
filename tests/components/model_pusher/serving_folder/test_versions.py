"""Which version serves, which is withdrawn, and where a roll back goes by itself."""

import dataclasses
import json
from pathlib import Path

import pytest

from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.versions import (
    NoVersion,
    Versions,
    serving_version,
)


@pytest.fixture(params=["folder", "URI"])
def base(request, tmp_path):
    return str(tmp_path / "serving") if request.param == "folder" else f"file://{tmp_path}/serving"


@pytest.fixture
def pushes(base, make_model):
    """Pushes models by name; ``3`` brings version 3 back, as a roll back does."""

    def function(*names):
        for name in names:
            if isinstance(name, int):
                target = Versions(base).version(name)
                push(target.path, base, order=PushOrder(restores=target.original))
            else:
                push(make_model(name), base, name)
        return Versions(base)

    return function


def _states(versions):
    return {
        version.number: "serves" if version.serves else "gone" if version.withdrawn else ""
        for version in versions.all
    }


def test_the_newest_serves_and_the_one_before_it_comes_next(pushes):
    versions = pushes("a", "b", "c")
    assert _states(versions) == {1: "", 2: "", 3: "serves"}
    assert versions.serving.record.run_id == "c" and versions.before.number == 2
    assert serving_version(versions.base) == versions.serving
    assert pushes("d").before.number == 3


def test_a_second_roll_back_goes_one_further_and_not_to_what_was_withdrawn(pushes):
    versions = pushes("a", "b", "c", 2)
    assert _states(versions) == {1: "", 2: "", 3: "gone", 4: "serves"}
    assert versions.before.number == 1
    versions = pushes(1)
    assert _states(versions) == {1: "", 2: "gone", 3: "gone", 4: "gone", 5: "serves"}
    assert versions.before is None


def test_what_is_pushed_later_goes_back_to_what_was_brought_back(pushes):
    versions = pushes("a", "b", "c", 2, "d")
    assert versions.before.original == 2
    assert versions.version(4).original == 2 and not versions.version(4).withdrawn


def test_a_withdrawn_one_comes_back_where_it_is_asked_for(pushes):
    versions = pushes("a", "b", "c", 2, 3)
    assert _states(versions) == {1: "", 2: "", 3: "", 4: "", 5: "serves"}
    assert versions.serving.original == 3 and versions.before.original == 2


def test_several_are_withdrawn_at_once(pushes):
    versions = pushes("a", "b", "c", "d")
    assert [gone.number for gone in versions.newer_than(versions.version(2))] == [3, 4]
    assert _states(pushes(1)) == {1: "", 2: "gone", 3: "gone", 4: "gone", 5: "serves"}


def test_what_another_program_put_there_counts_as_a_version(pushes, base, make_model):
    pushes("a")
    folder = Path(base.removeprefix("file://")) / "7"
    Path(make_model("other")).rename(folder)
    (folder.parent / "8").mkdir()  # not yet whole, as in an object store
    versions = Versions(base)
    assert _states(versions) == {1: "", 7: "serves"}
    assert serving_version(base) == versions.serving
    assert versions.serving.record is None and versions.before.number == 1


def test_a_version_that_is_not_there_is_named_with_those_that_are(pushes):
    with pytest.raises(NoVersion, match=r"holds no version 9; there are: 1, 2$"):
        pushes("a", "b").version(9)


def test_no_folder_is_no_version(base):
    assert Versions(base).all == [] and Versions(base).serving is None
    assert serving_version(base) is None


def test_a_record_of_a_later_program_is_read(pushes, base):
    path = Path(pushes("a").serving.path.removeprefix("file://")) / "assets.extra/push.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values["lineage"] is None
    path.write_text(json.dumps(values | {"later": 1, "lineage": {"later": 2}}), encoding="utf-8")
    record = Versions(base).serving.record
    assert record.run_id == "a" and record.lineage.tested_on == ()


def test_a_damaged_record_is_named(pushes, base):
    path = Path(pushes("a").serving.path.removeprefix("file://")) / "assets.extra/push.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"push\.json is not what a push writes"):
        Versions(base)


def test_the_same_model_is_known_by_its_digest(pushes):
    versions = pushes("a", "b", "a")
    assert versions.same_model(versions.version(1), versions.version(3))
    assert not versions.same_model(versions.version(1), versions.version(2))
    unnoted = dataclasses.replace(versions.version(1), record=None)
    assert versions.same_model(unnoted, versions.version(3))
