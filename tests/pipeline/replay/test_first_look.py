"""What keeps a replay from beginning is said before TensorFlow is loaded."""

import dataclasses
import re

import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.replay.day_record import DayRecord, ReplayRecord
from mtlx.pipeline.replay.first_look import ReplayRefused, check_settings, look
from mtlx.pipeline.replay.way import Way, settings_of, untold
from tests.pipeline.replay.planted_days import write_days, write_experiment

WAYS = [Way.FROM_SCRATCH, Way.STALE]


@pytest.fixture
def planted(tmp_path):
    """An experiment on four days, and the folder of a replay."""
    write_days(tmp_path, 4)
    return str(write_experiment(tmp_path)), tmp_path / "Größe #1"


def _done(path, folder):
    """A replay whose first day is done."""
    record = ReplayRecord("planted", False, ("click",), days={"from_scratch": [DayRecord(3, "")]})
    own = settings_of(Way.FROM_SCRATCH, read_experiment(path), folder / "from_scratch")
    check_settings(record, folder, {Way.FROM_SCRATCH: untold(read_experiment(path, own))})
    record.write(folder)
    return record


def test_days_that_are_there_may_be_run(planted):
    path, folder = planted
    look(path, (), None, folder, WAYS, [3, 4])
    assert not folder.exists()
    record = _done(path, folder)
    look(path, (), None, folder, WAYS, [3, 4])
    assert ReplayRecord.read(folder) == record


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("features.item_id.column=itm_id", "no column 'itm_id', did you mean 'item_id'"),
        ("model.network=shred_bottom", "unknown network 'shred_bottom'"),
        ("data.path=/none/day={SPAN}.csv", "no file matches"),
    ],
)
def test_what_would_end_the_first_day_is_refused(planted, setting, words):
    path, folder = planted
    with pytest.raises(ExperimentFileError, match=re.escape(words)):
        look(path, [setting], None, folder, WAYS, [3, 4])


def test_a_folder_that_cannot_be_written_is_refused(planted, tmp_path):
    path, _ = planted
    with pytest.raises(ValueError, match="experiment.yaml/replay.json .*: give another --out"):
        look(path, (), None, tmp_path / "experiment.yaml", WAYS, [3, 4])


def test_the_first_day_has_logs_later_ones_may_not_come(planted):
    path, folder = planted
    with pytest.raises(ExperimentFileError, match="no file of span 9 matches"):
        look(path, (), None, folder, WAYS, [9])
    _done(path, folder)
    look(path, (), None, folder, WAYS, [3, 9])


def test_a_record_of_another_replay_is_refused(planted):
    path, folder = planted
    record = _done(path, folder)
    with pytest.raises(ReplayRefused, match=r"other settings \(from scratch\)"):
        look(path, ["training.epochs=7"], None, folder, WAYS, [3, 4])
    # Also where the ways are others: what is there belongs to the same comparison.
    with pytest.raises(ReplayRefused, match=r"other settings \(from scratch\)"):
        look(path, ["training.epochs=7"], None, folder, [Way.AS_WRITTEN], [3, 4])
    dataclasses.replace(record, settings={}).write(folder)
    (folder / "replay.json").write_text("{")
    with pytest.raises(ValueError, match="replay.json cannot be read .*: give another --out"):
        look(path, (), None, folder, WAYS, [3, 4])
