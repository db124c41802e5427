"""Trains several models on the same transformed examples, and compares them."""

import concurrent.futures
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtlx.components.slice_evaluation.results import DESCRIPTION_FILE as EVALUATED_FILE
from mtlx.components.slice_evaluation.results import SliceResults, load_results
from mtlx.pipeline.compare.comparison_record import (
    OVERALL,
    RECORD_FILE,
    ComparisonRecord,
    Difference,
    Row,
)
from mtlx.pipeline.compare.contender import Contender
from mtlx.pipeline.compare.measure import differences, is_error, measured, metric_of, turned
from mtlx.pipeline.compare.ranking import in_order
from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.pipeline.process.prompt_stop import at_stop
from mtlx.pipeline.process.run_log import run_log
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_lock import run_lock
from mtlx.pipeline.trainings.prepared import prepare, standing_alone
from mtlx.pipeline.trainings.processes import LOG_FILE, Processes, Runner, TaskFailed
from mtlx.pipeline.trainings.task import (
    TRAINED_FILE,
    Evaluation,
    Prepared,
    Training,
    write_whole,
)
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of


class Compare:
    """One comparison.

    Logs are read, described and transformed once. Each model is trained in a process of its own,
    from all seeds, into a folder named by what it is made of, and so are evaluations: what a call
    finds there, it does not do again. What failed is tried again.

    Args:
        path: of the experiment file, as the next two.
        given: ``--set`` of the command line, which hold for every model.
        data_root: folder for relative data paths.
        folder: of the comparison.
        contenders: the models.
        reference: label of the one that all are compared with.
        seeds: from which each is trained.
        parameters: to which widths are scaled; None leaves them.
        workers: processes side by side.
        run: does a task; None starts processes.
        on_row: is given each row as soon as it is there.
        on_progress: is given what happens meanwhile.

    Attributes:
        record: as far as it came.
    """

    def __init__(
        self,
        path: str,
        given: Sequence[str],
        data_root: str | None,
        folder: Path,
        contenders: Sequence[Contender],
        reference: str,
        seeds: int,
        parameters: int | None = None,
        workers: int = 1,
        run: Runner | None = None,
        on_row: Callable[[Row], None] = lambda row: None,
        on_progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._path, self._given, self._data_root = path, tuple(given), data_root
        self._folder, self._contenders = folder.resolve(), list(contenders)
        self._seeds, self._parameters, self._workers = seeds, parameters, workers
        self._processes = Processes()
        self._do = run or self._processes.run
        self._on_row, self._on_progress = on_row, on_progress
        self._experiments: dict[str, Experiment] = {}
        self._trainings: dict[str, Training] = {}
        rows = [Row(one.label, one.name, one.settings) for one in contenders]
        self.record = ComparisonRecord("", reference, seeds, rows=rows)

    def run(self) -> None:
        """Does what is not done yet.

        Raises:
            ExperimentFileError: no model at all can take the experiment.
            RunFailed: of what all models share.
            PipelineRootInUse: another comparison is at work in the folder.
        """
        for contender in self._contenders:
            self._read(contender)
        if not self._experiments:
            raise ExperimentFileError(self.record.rows[0].failed)
        first = next(iter(self._experiments.values()))
        self.record.experiment = first.name
        with (
            run_lock(pipeline_root(first)),
            run_log(self._folder / LOG_FILE, lambda line: None),
            at_stop(self._processes.kill),
        ):
            try:
                self._run(prepare(first, self._on_progress))
            finally:
                self._processes.kill()

    def _run(self, prepared: Prepared) -> None:
        for label, experiment in self._experiments.items():
            self._trainings[label] = Training(
                experiment.contract.to_json(),
                experiment.model.to_json(),
                experiment.training.to_json(),
                prepared,
                self._parameters,
            )
        reference = self.record.reference
        self._row(reference)
        self._each(row.label for row in self.record.rows if row.label != reference)
        self._compare_with_best()
        self._write()

    def _each(self, labels: Iterator[str]) -> None:
        """The models, so many at once as there are workers."""
        with contextlib.ExitStack() as stack:
            if self._workers == 1:
                found: Iterator[None] = map(self._row, labels)
            else:
                pool = concurrent.futures.ThreadPoolExecutor(self._workers)
                # Its end waits for the threads, and they for processes.
                stack.callback(pool.shutdown, wait=False, cancel_futures=True)
                found = pool.map(self._row, labels)
            for _ in found:
                pass

    def _read(self, contender: Contender) -> None:
        """The experiment as it is with a model; what it cannot be is said in the model's row."""
        overrides = (
            *contender.overrides(self._path, self._given),
            *standing_alone(self._folder),
        )
        try:
            once = checked_experiment(self._path, overrides, self._data_root)
            method = method_of(once.model, once.training)
            # What gives the same model from every seed is trained once, and counts as given.
            repeats = self._seeds if TRAINING_METHODS.get(method).seeded else 1
            own = (*overrides, f"training.repeats={repeats}")
            found = checked_experiment(self._path, own, self._data_root)
        except ExperimentFileError as error:
            text = " ".join(str(error).split())
            # A problem names the setting; what we have set ourselves for it nobody has typed.
            for override in set(overrides) - {*self._given, *contender.settings}:
                text = text.replace(f"--set {override}: ", "")
            self.record.row(contender.label).failed = text
        else:
            self._experiments[contender.label] = found

    def _row(self, label: str) -> None:
        """Trains a model and compares it with the reference."""
        row = self.record.row(label)
        try:
            if not row.failed:
                self._train(row)
                self._measure(row)
        except TaskFailed as error:
            row.failed = str(error)
        self._write()
        self._on_row(row)

    def _train(self, row: Row) -> None:
        training = self._trainings[row.label]
        folder = training.folder(self._folder)
        if not (folder / TRAINED_FILE).exists():
            self._begin(training, folder, row.label)
        told = json.loads((folder / TRAINED_FILE).read_text(encoding="utf-8"))
        row.parameters, row.embedding_parameters = told["parameters"], told["embedding_parameters"]
        row.factor, row.seconds = told["factor"], told["seconds"]
        row.rows_per_second = told["rows_per_second"]

    def _measure(self, row: Row) -> None:
        """The row's own values, and how far it is from the reference, in all slices."""
        reference = self.record.row(self.record.reference)
        compared = row is not reference and not reference.failed
        own = self._evaluate(row.label, None, True) if self._turns(row.label) else None
        results = self._evaluate(row.label, reference.label if compared else None, True)
        row.measured = measured(own or results)
        record = self.record
        for task in results.tasks:
            metric = metric_of(results, task)
            if metric is not None:
                record.metrics.setdefault(task, metric)
                record.lower_is_better |= {task} if is_error(metric) else set()
        record.confidence, record.clusters = results.confidence, results.user_key
        if compared:
            found = differences(results)
            row.over_reference = (
                {place: turned(one) for place, one in found.items()} if own else found
            )

    def _turns(self, label: str) -> bool:
        """Whether a model counts as given while the reference has seeds: that one is the candidate
        then, since of a candidate alone the seeds of the other would be left out.
        """
        reference = self.record.reference
        if label == reference or self.record.row(reference).failed:
            return False
        return self._repeats(label) == 1 and self._repeats(reference) > 1

    def _repeats(self, label: str) -> int:
        return self._experiments[label].training.repeats

    def _compare_with_best(self) -> None:
        """How far each model is, on all rows, from the one with the best mean of a task."""
        for task in self.record.tasks:
            order = in_order(self.record, task)
            for row in order[1:]:
                found = self._to_best(row, order[0], task)
                if found is not None:
                    row.over_best[task] = found

    def _to_best(self, row: Row, best: Row, task: str) -> Difference | None:
        reference = self.record.reference
        if best.label == reference:
            return row.over_reference.get((task, OVERALL))
        if row.label == reference:
            found = best.over_reference.get((task, OVERALL))
            return None if found is None else turned(found)
        # Of two of which one counts as given, the other is the candidate.
        swap = self._repeats(row.label) == 1
        pair = (best.label, row.label) if swap else (row.label, best.label)
        try:
            found = differences(self._evaluate(*pair, False)).get((task, OVERALL))
        except TaskFailed as error:
            return Difference(None, reason=str(error))
        return turned(found) if swap and found is not None else found

    def _evaluate(self, label: str, other: str | None, in_slices: bool) -> SliceResults:
        """A model by itself, or beside another."""
        experiment = self._experiments[label]
        if other is not None and in_slices and self._turns(label):
            label, other = other, label
        settings = experiment.evaluation
        if not in_slices:
            settings = settings.model_copy(update={"slices": []})
        folders = [
            None if one is None else str(self._trainings[one].folder(self._folder))
            for one in (label, other)
        ]
        evaluation = Evaluation(
            experiment.contract.to_json(),
            settings.to_json(),
            folders[0] or "",
            folders[1],
            self._trainings[label].prepared,
        )
        folder = evaluation.folder(self._folder)
        if not (folder / EVALUATED_FILE).exists():
            self._begin(evaluation, folder, label)
        return load_results(str(folder))

    def _begin(self, task: Training | Evaluation, folder: Path, label: str) -> None:
        verb = "is trained" if isinstance(task, Training) else "is evaluated"
        self._on_progress(f"{label} {verb}")
        self._do(task, folder, lambda line: self._on_progress(f"{label}: {line}"))

    def _write(self) -> None:
        write_whole(self._folder / RECORD_FILE, self.record.as_json())
