"""What stands beside a served model, and locks that end with their holder."""

import datetime

import pytest

from mtlx.components.model_pusher.serving_folder.folder_lock import locked, open_lock, take
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord


def test_a_record_comes_back_as_it_was(tmp_path):
    record = PushRecord.now("/models/Größe 男", "abc", None)
    record.save(str(tmp_path))
    assert PushRecord.load(str(tmp_path)) == record
    at = datetime.datetime.fromisoformat(record.pushed_at)
    assert at.utcoffset() == datetime.timedelta(0)
    assert abs(datetime.datetime.now(datetime.timezone.utc) - at) < datetime.timedelta(minutes=5)


def test_a_version_of_another_program_has_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        PushRecord.load(str(tmp_path))


def test_a_lock_is_held_by_one_and_given_back_when_its_file_is_closed(tmp_path):
    path = str(tmp_path / "lock")
    with locked(path) as held:
        assert held
        with open_lock(path) as other:
            assert not take(other, wait=False)
    with open_lock(path) as other:
        assert take(other, wait=False)


def test_a_lock_is_given_back_after_an_error(tmp_path):
    path = str(tmp_path / "lock")
    with pytest.raises(RuntimeError), locked(path):
        raise RuntimeError("stopped")
    with open_lock(path) as other:
        assert take(other, wait=False)


def test_a_lock_in_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_lock(str(tmp_path / "nowhere" / "lock"))
