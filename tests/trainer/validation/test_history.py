import json

import tensorflow as tf

from mtlx.trainer.validation.history import HISTORY_FILE, History


def _record(epoch):
    return {
        "epoch": epoch,
        "loss": 1.0 / epoch,
        "task_loss": {"ctr": 0.5, "cvr": 0.25},
        "validation_auc": {"ctr": 0.7, "cvr": None},
        "validation_loss": {"ctr": 0.4, "cvr": None},
        "examples_per_second": 1000.0,
    }


def _points(folder):
    points = {}
    for log in (folder / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(log)):
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                points.setdefault(value.tag, []).append((event.step, number))
    return points


def test_logs_hold_every_epoch_once_however_often_they_are_written(tmp_path):
    history = History()
    for epoch in (1, 2):
        history.epochs.append(_record(epoch))
        history.write(str(tmp_path))
    points = _points(tmp_path)
    assert points["loss"] == [(1, 1.0), (2, 0.5)]
    assert [step for step, _ in points["validation_auc/ctr"]] == [1, 2]
    assert "validation_auc/cvr" not in points, "an undefined value is no point"


def test_file_holds_all_fields(tmp_path):
    history = History(epochs=[_record(1)], best_epoch=1, parameters=7, devices=["CPU:0"])
    history.write(str(tmp_path))
    stored = json.loads((tmp_path / HISTORY_FILE).read_text())
    assert History(**stored) == history
    assert stored["epochs"][0]["validation_auc"] == {"ctr": 0.7, "cvr": None}
