"""Tries settings on the same transformed examples, and finds those that reach most."""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.pipeline.process.prompt_stop import at_stop
from mtlx.pipeline.process.run_log import run_log
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_lock import run_lock
from mtlx.pipeline.trainings.prepared import prepare, standing_alone
from mtlx.pipeline.trainings.processes import LOG_FILE, Processes, Runner, TaskFailed
from mtlx.pipeline.trainings.task import Prepared, Task, Trial, digest, write_whole
from mtlx.pipeline.tune.best_file import BEST_FILE, best_file
from mtlx.pipeline.tune.objective import SELECTION, Objective
from mtlx.pipeline.tune.own_settings import own_settings
from mtlx.pipeline.tune.space import read_space
from mtlx.pipeline.tune.suggestions import Suggestions
from mtlx.pipeline.tune.trial_run import kept_value, run_trial, trained
from mtlx.pipeline.tune.tuning_record import (
    RECORD_FILE,
    SeedCheck,
    TrialRow,
    TuningRecord,
    read_trials,
)
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of


class SearchStopped(RuntimeError):
    """The command was told to stop; what its trials came to meanwhile says nothing."""


class Tune:
    """One search.

    Logs are read, described and transformed once, and trials see the splits train and validation
    of that alone. Each trial has a process of its own and a file of its own, written when it begins
    and when it ends: what is finished is never done again, what was at work goes on. A search is
    named by all that its results depend on, so that another space or other logs begin another one.

    Args:
        path: of the experiment file, as the next two.
        given: ``--set`` of the command line.
        data_root: folder for relative data paths.
        folder: of the search.
        trials: that there are to be in the end, those of earlier calls included.
        minutes: after which no trial begins any more; None for no end.
        workers: trials at once.
        objective: see `Objective`.
        seeds: further ones from which the best settings are trained, and the file's own.
        pruning: whether hopeless trials are stopped.
        run: does a task; None starts processes.
        on_trial: is given each trial as soon as it has ended.
        on_progress: is given what happens meanwhile.
        clock: seconds.

    Attributes:
        record: as far as it came.
    """

    def __init__(
        self,
        path: str,
        given: Sequence[str],
        data_root: str | None,
        folder: Path,
        trials: int,
        minutes: float | None = None,
        workers: int = 1,
        objective: str = SELECTION,
        seeds: int = 3,
        pruning: bool = True,
        run: Runner | None = None,
        on_trial: Callable[[TrialRow], None] = lambda row: None,
        on_progress: Callable[[str], None] = lambda line: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._given, self._data_root = path, tuple(given), data_root
        self._folder, self._trials, self._workers = folder.resolve(), trials, workers
        self._objective_name, self._seeds, self._pruning = objective, seeds, pruning
        self._processes, self._stopping = Processes(), threading.Event()
        self._run_task = run or self._processes.run
        self._on_trial, self._on_progress = on_trial, on_progress
        self._clock = clock
        self._until = None if minutes is None else clock() + 60 * minutes
        self._lock = threading.RLock()
        self.record = TuningRecord(planned=trials)

    def run(self) -> None:
        """Does what is not done yet.

        Raises:
            ExperimentFileError: the experiment or its `search` is wrong.
            ValueError: so is the objective.
            RunFailed: of what all trials share.
            PipelineRootInUse: another search is at work in the folder.
        """
        self._base = base = self._experiment({})
        self._objective = Objective.read(self._objective_name, base)
        self._space = read_space(self._path, self._given, base.search, self._check, True)
        self._suggestions = Suggestions(
            self._space, self._objective.lower_is_better, base.training.seed, self._workers > 1
        )
        record, objective = self.record, self._objective
        record.experiment, record.objective = base.name, objective.title
        record.lower_is_better = objective.lower_is_better
        record.space = {name: axis.words for name, axis in self._space.axes.items()}
        with (
            run_lock(pipeline_root(base)),
            run_log(self._folder / LOG_FILE, lambda line: None),
            at_stop(self._stop),
        ):
            try:
                self._search(prepare(base, self._on_progress))
            finally:
                self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        self._processes.kill()

    def _check(self, overrides: Sequence[str]) -> Experiment:
        own = (*self._given, *overrides, *standing_alone(self._folder), "training.repeats=1")
        return checked_experiment(self._path, own, self._data_root)

    def _experiment(self, settings: Mapping[str, Any]) -> Experiment:
        return self._check(self._space.overrides(settings) if settings else ())

    def _search(self, prepared: Prepared) -> None:
        self._prepared = prepared
        name = digest(
            [
                self._training(self._base, self._base.training.seed).folder(Path()).name,
                {key: axis.dimension.to_json() for key, axis in self._space.axes.items()},
                [self._objective.name, self._pruning],
            ]
        )
        self._trial_folder = self._folder / "searches" / name
        self.record.trials = read_trials(self._trial_folder)
        self._waiting = [row for row in self.record.trials if row.state == "running"]
        self._each(self._trial, iter(self._next, None))
        rows = self.record.trials
        self.record.importances, self.record.no_importances = self._suggestions.importances(rows)
        self._check_seeds()
        if self.record.best is not None:
            self._write_best()
        self._write()

    def _each(self, do: Callable[[Any], None], items: Iterable[Any]) -> None:
        """Items, so many at once as there are workers; each is asked for when a worker is free."""
        iterator = iter(items)

        def work() -> None:
            while not self._stopping.is_set():
                with self._lock:
                    item = next(iterator, None)
                if item is None:
                    return
                do(item)

        if self._workers == 1:
            work()
            return
        with contextlib.ExitStack() as stack:
            pool = concurrent.futures.ThreadPoolExecutor(self._workers)
            # Its end waits for the threads, and they for processes.
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            for done in [pool.submit(work) for _ in range(self._workers)]:
                done.result()

    def _next(self) -> TrialRow | None:
        """The trial that a free worker takes; None where there is none any more."""
        rows, record = self.record.trials, self.record
        if self._waiting:
            return self._waiting.pop(0)
        if len(rows) >= self._trials:
            return None
        if self._until is not None and self._clock() >= self._until:
            record.ended = "the time was over"
            return None
        own = own_settings(self._base, self._space)
        is_own = not rows and own is not None
        settings = own if is_own else self._suggestions.next(rows)
        if settings is None:
            record.ended = "all settings that there are were tried"
            return None
        row = TrialRow(len(rows) + 1, settings, own=is_own)
        row.write(self._trial_folder)
        rows.append(row)
        return row

    def _trial(self, row: TrialRow) -> None:
        self._on_progress(f"trial {row.number} of {self._trials}")
        before = self.record.best
        try:
            trial = self._training(self._experiment(row.settings), self._base.training.seed)
        except ExperimentFileError as error:
            row.state = "failed"
            row.reason = f"refused: {' '.join(str(error).split())}"
        else:
            folder = trial.folder(self._folder)
            run_trial(
                row, trial, folder, self._do, self._objective, self._is_hopeless, self._saying(row)
            )
        with self._lock:
            row.write(self._trial_folder)
            if self.record.best is not before:
                self._write_best()
            self._write()
            self._on_trial(row)

    def _saying(self, row: TrialRow) -> Callable[[str], None]:
        return lambda line: self._on_progress(f"trial {row.number} of {self._trials}: {line}")

    def _is_hopeless(self, row: TrialRow, reached: Sequence[tuple[int, float]]) -> bool:
        if not self._pruning or row.own:
            return False
        with self._lock:
            return self._suggestions.is_hopeless(self.record.trials, row, reached)

    def _do(self, task: Task, folder: Path, on_progress: Callable[[str], None]) -> None:
        try:
            self._run_task(task, folder, on_progress)
        except TaskFailed:
            if self._stopping.is_set():
                raise SearchStopped from None
            raise

    def _training(self, experiment: Experiment, seed: int) -> Trial:
        training = experiment.training.model_copy(update={"seed": seed})
        return Trial(
            experiment.contract.to_json(),
            experiment.model.to_json(),
            training.to_json(),
            self._prepared,
        )

    def _check_seeds(self) -> None:
        """The best settings and the file's own, from seeds that had no part in the choice."""
        best, record, base = self.record.best, self.record, self._base
        if best is None or not self._seeds:
            record.not_by_seed = "" if best is None else "no further seeds were asked for"
            return
        experiment = self._experiment(best.settings)
        if not TRAINING_METHODS.get(method_of(experiment.model, experiment.training)).seeded:
            record.not_by_seed = "its method gives the same model from every seed"
            return
        record.best_by_seed = self._from_seeds(experiment, "the best settings")
        if not best.own:
            record.own_by_seed = self._from_seeds(base, "the file's own settings")

    def _from_seeds(self, experiment: Experiment, label: str) -> SeedCheck:
        found: dict[int, float] = {}
        failed: list[str] = []

        def train(seed: int) -> None:
            trial = self._training(experiment, seed)
            say = f"{label} from seed {seed}"
            self._on_progress(say)
            try:
                told = trained(
                    trial,
                    trial.folder(self._folder),
                    self._do,
                    lambda line: self._on_progress(f"{say}: {line}"),
                )
            except TaskFailed as error:
                failed.append(f"seed {seed}: {error}")
                return
            value = kept_value(told, self._objective)
            if value is not None:
                found[seed] = value

        first = self._base.training.seed + 1
        self._each(train, range(first, first + self._seeds))
        return SeedCheck(dict(sorted(found.items())), "; ".join(failed))

    def _write_best(self) -> None:
        best = self.record.best
        assert best is not None
        text = best_file(self._path, self._given, best, self.record)
        (self._folder / BEST_FILE).write_text(text, encoding="utf-8")

    def _write(self) -> None:
        write_whole(self._folder / RECORD_FILE, self.record.as_json())
