"""Several machines: all train from the same seeds, and the chief alone writes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import tensorflow as tf

from mtlx.trainer.repeats.finished_training import FinishedTraining
from mtlx.trainer.repeats.repeated_training import RepeatedTraining
from mtlx.trainer.repeats.repeats_record import RepeatsRecord
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingResult
from mtlx.trainer.validation.history import History


@dataclass(frozen=True)
class _Job:
    """As much of a training job as is looked at before it is trained."""

    settings: TrainingSettings
    checkpoints: CheckpointFolder


class _Workers:
    """One of two that meet whenever one asks for the chief's value."""

    told = None

    def __init__(self, number, meeting):
        self.is_chief, self._meeting, self.waited = number == 0, meeting, 0

    def chiefs_value(self, value):
        if self.is_chief:
            _Workers.told = value
        self._meeting.wait(10)
        found = _Workers.told
        self._meeting.wait(10)
        return found

    def wait(self):
        self.waited += 1
        self.chiefs_value(None)


def _history(seed):
    value = {1: 0.5, 2: 0.3, 3: 0.4}[seed]
    epochs = [{"epoch": 1, "selection": value, "loss": 1.0}]
    return History(epochs=epochs, best_epoch=1, selection={"name": "log loss"})


def _write_model(folder, seed):
    tf.io.gfile.makedirs(f"{folder}/assets.extra/mtlx")
    for name in ("saved_model.pb", "assets.extra/mtlx/base_model.json"):
        with tf.io.gfile.GFile(f"{folder}/{name}", "w") as file:
            file.write(str(seed))


def test_all_train_what_is_not_done_and_the_chief_alone_writes(tmp_path):
    """The first seed was done before, which the chief's file system says."""
    checkpoints = CheckpointFolder(str(tmp_path / "checkpoints"), "digest")
    FinishedTraining(checkpoints, 1).keep(_history(1), lambda folder: _write_model(folder, 1))
    meeting, trained, exported = threading.Barrier(2), {0: [], 1: []}, []
    workers = [_Workers(number, meeting) for number in range(2)]

    def work(number):
        # What another worker sees may be of another file system: here nothing.
        root = "checkpoints" if number == 0 else "elsewhere"
        job = _Job(
            TrainingSettings.read({"repeats": 3}), CheckpointFolder(str(tmp_path / root), "digest")
        )

        def train(job):
            trained[number].append((job.settings.seed, job.settings.repeats))
            return TrainingResult([], _history(job.settings.seed))

        def export(job, result, folder):
            exported.append((number, job.settings.seed))
            _write_model(folder, job.settings.seed)

        repeated = RepeatedTraining(job, workers[number])
        repeated.train(train, export)
        if number == 0:
            repeated.write(str(tmp_path / "model/Format-Serving"), str(tmp_path / "run"))

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work, number) for number in range(2)]:
            done.result(30)
    assert trained == {0: [(2, 1), (3, 1)], 1: [(2, 1), (3, 1)]}
    assert exported == [(0, 2), (0, 3)] and workers[0].waited == workers[1].waited == 2
    record = RepeatsRecord.beside(str(tmp_path / "model/Format-Serving"))
    assert record == RepeatsRecord((1, 2, 3), 3, "log loss", (0.5, 0.3, 0.4))
    for seed, folder in record.folders(str(tmp_path / "model/Format-Serving")).items():
        with open(f"{folder}/saved_model.pb") as file:
            assert file.read() == str(seed)
    assert (tmp_path / "model/Format-Serving/assets.extra/mtlx/base_model.json").exists()
    assert not (tmp_path / "model/repeats/1/assets.extra/mtlx").exists()
