"""Trains one model from several seeds, one after the other, and exports the median."""

import dataclasses
import functools
import os
from collections.abc import Callable

from absl import logging

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.repeats.finished_training import FinishedTraining, validated
from mtlx.trainer.repeats.repeats_record import RepeatsRecord, median_place, repeats_folder
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.warm_start.base_files import FOLDER


class RepeatedTraining:
    """The trainings of `TrainingSettings.seeds`.

    All read the same examples, kept in memory once, and have a checkpoint each. A training that
    is done is exported at once, below the checkpoint of the whole: after an interruption it is not
    trained again, and the one that was interrupted goes on where it was. A training from a seed
    ends with the very model that this seed alone gives.

    On several machines all train; the chief alone exports, while the others wait.

    Args:
        job: what is trained on what; its settings say which seeds.
        workers: that train together.
    """

    def __init__(self, job: TrainingJob, workers: WorkerGroup) -> None:
        self._job, self._workers = job, workers
        self._finished = [FinishedTraining(job.checkpoints, seed) for seed in job.settings.seeds]

    def train(
        self,
        train: Callable[[TrainingJob], TrainingResult],
        export: Callable[[TrainingJob, TrainingResult, str], None],
    ) -> None:
        """Trains from every seed that is not done yet.

        Args:
            train: trains a job of one seed.
            export: writes what it gave into a folder, as a SavedModel; the chief's.
        """
        for place, finished in enumerate(self._finished, start=1):
            if self._workers.chiefs_value(finished.is_there):
                logging.info("the training from seed %d was done before", finished.seed)
                continue
            logging.info(
                "training %d of %d, from seed %d", place, len(self._finished), finished.seed
            )
            job = self._of_seed(finished.seed)
            result = train(job)
            if self._workers.is_chief:
                logging.info(result.history.kept)
                finished.keep(result.history, functools.partial(export, job, result))
                job.checkpoints.remove()
            self._workers.wait()

    def write(self, model: str, run: str) -> None:
        """Copies the median's model and history, and those of the other seeds beside it.

        The exported model is written last: where it is, all of it is there.

        Args:
            model: folder of the exported SavedModel.
            run: folder for the history; below it there is one for every seed.
        """
        histories = [finished.history for finished in self._finished]
        values = [validated(history) for history in histories]
        chosen = median_place(values)
        record = RepeatsRecord(
            self._job.settings.seeds,
            self._finished[chosen].seed,
            histories[chosen].selection["name"],
            tuple(values),
        )
        beside = repeats_folder(model)
        for place, (finished, history) in enumerate(zip(self._finished, histories, strict=True)):
            history.write(os.path.join(run, os.path.basename(beside), str(finished.seed)))
            if place != chosen:
                # A training begins with the exported one alone.
                finished.copy_model(os.path.join(beside, str(finished.seed)), without=(FOLDER,))
        record.save(beside)
        self._finished[chosen].copy_model(model)
        exported = histories[chosen]
        exported.notes.insert(0, record.words)
        logging.info(record.words)
        exported.write(run)

    def _of_seed(self, seed: int) -> TrainingJob:
        settings = self._job.settings.model_copy(update={"seed": seed, "repeats": 1})
        checkpoints = self._job.checkpoints.part(f"seed_{seed}")
        return dataclasses.replace(self._job, settings=settings, checkpoints=checkpoints)
