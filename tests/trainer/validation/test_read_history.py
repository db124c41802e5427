"""A training's record: one module writes and reads it."""

import dataclasses

import pytest

from mtlx.trainer.validation.history import HISTORY_FILE, History, read_history


def test_what_is_written_is_read(tmp_path):
    assert read_history(str(tmp_path)) is None
    history = History(best_epoch=1, kept="Epoch 1 of 1 is kept.", parameters=3)
    history.write(str(tmp_path))
    assert read_history(str(tmp_path)) == dataclasses.asdict(history)
    (tmp_path / HISTORY_FILE).write_text("{")
    with pytest.raises(ValueError, match=r"history.json, line 1: no JSON"):
        read_history(str(tmp_path))
