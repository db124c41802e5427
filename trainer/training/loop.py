"""The training loop: epochs of steps, validated, recorded, checkpointed."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from mtlx.trainer.distribution.devices import device_names
from mtlx.trainer.distribution.sharded_tables import sharded_tables
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.examples.traced_once import TracedOnce
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.optimization.lazy_adam import look_up
from mtlx.trainer.training.addition import Addition
from mtlx.trainer.training.diverged import check_finite
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.step import Step
from mtlx.trainer.training.stored.sharded_array import Kept, give
from mtlx.trainer.training.stored.variable_values import kept_groups, named_values
from mtlx.trainer.training.training_state import StateStore, TrainingState
from mtlx.trainer.validation.in_float32 import in_float32
from mtlx.trainer.validation.kept_epoch import kept_epoch
from mtlx.trainer.validation.selection import Score, Selection
from mtlx.trainer.validation.validation import Validation, validate

#: Size of an embedding table from which on a checkpoint holds its changed rows alone.
LEAST_BYTES = 2**24
#: Rows per call when the validation split is predicted.
_VALIDATION_BATCH = 8192


class TrainingLoop:
    """Passes over the training split until the validation split shows no gain.

    After every epoch its value on the validation split is compared with the best one so far
    (`mtlx.trainer.validation.selection`); the best epoch's weights are the result. State is
    checkpointed every `checkpoint_every_steps` steps and after every epoch; a resumed training sees
    the same batches, compares with the same best value and ends with the same weights.

    On several machines all take the same steps; the chief alone validates and writes, and tells
    the others what it found.

    A method says which steps are taken (`step`), how many epochs there are (`run_epochs`), and
    what it does besides (`addition`). A method of several stages exchanges the step between them
    (`begin_stage`).

    Args:
        job: what is trained on what.
        model: the one that the step updates.
        step: is taken on every batch.
        addition: what the method does besides; None for nothing.

    Attributes:
        model: see above.
        step: of the present stage.
        state: progress, history and best weights.
        selection: what epochs are compared by.
    """

    def __init__(
        self,
        job: TrainingJob,
        model: GradientModel,
        step: Step,
        addition: Addition | None = None,
    ) -> None:
        self._job, self._settings, self._tasks = job, job.settings, job.inputs.tasks
        self._workers = WorkerGroup(job.strategy)
        self._store: StateStore
        self._sharded = sharded_tables(model, job.strategy)
        self._addition = addition or Addition()
        self.model, self.step, self.state = model, step, TrainingState()
        self.selection = Selection.of(job.settings, job.inputs)
        self._predict: Callable[[Mapping[str, tf.Tensor]], Mapping[str, tf.Tensor]]

    def open(self) -> None:
        """Creates all state, and goes back to the last checkpoint where there is one."""
        # Once more: whatever was seeded since would change lazily built weights and the batches.
        keras.utils.set_random_seed(self._settings.seed)
        batch = self._job.train.first_row
        self._predict = TracedOnce(self._scored)
        self.step.prepare(batch)
        self._addition.prepare(batch)
        history = self.state.history
        history.parameters = int(
            sum(np.prod(self._sharded.shape(one)) for one in self.model.trainable_variables)
        )
        history.devices = device_names(self._job.strategy)
        history.precision = self.model.compute_dtype
        if self._job.start is not None:
            self._begin(self._job.start.give_state(self._variables()))
        # Copies of a table on several devices are written as a whole.
        one_copy = self._job.strategy.num_replicas_in_sync == 1
        tables = self.step.optimizers.watch(LEAST_BYTES if one_copy else None)
        self._store = StateStore(self._job.checkpoints, self._workers, tables)
        found = self._store.restore(self._variables())
        self._store.begin(self._variables(), None if found is None else found[1])
        if found is not None:
            self._resume(found[0])
        elif self._job.start_competes:
            score = self._record_start()
            self.state.progress.best_score = score.value
            history.selection["first_epoch"] = 0
            history.kept = kept_epoch(history)

    def run_epochs(self, last: int) -> None:
        """Runs the epochs of the present stage, or what is left of them.

        Args:
            last: number of the stage's last epoch, if nothing stops it before.

        Raises:
            TrainingDiverged: the loss is no longer finite.
        """
        with self._store.written():
            while not self._finished(last):
                self._run_epoch(last)

    def begin_stage(self, schedule_steps: int | None = None) -> None:
        """Goes back to the best weights; what is left of the stage is its optimiser's state.

        Args:
            schedule_steps: which step the learning rate's schedule takes the next one for; None
                for the one after the last.
        """
        self._store.wait()
        if self.state.best:
            for variable, value in zip(self.model.variables, self.state.best, strict=True):
                give(variable, value)
        self._store.changed_otherwise()
        self.state.progress = progress = self.state.progress.next_stage()
        if schedule_steps is not None:
            progress.schedule_offset = schedule_steps - progress.step
        self._follow_schedule()
        if self.step.average is not None:
            self.step.average.restart()
        self._save()

    def result(self) -> TrainingResult:
        """The best epoch's weights, and the history.

        Without any epoch the weights are those that the training began with.
        """
        history = self.state.history
        if not history.epochs:
            score = self._record_start()
            history.kept = (
                "No step was taken, the weights are those of the base model: "
                f"{self.selection.name} {score.value:.5f} on the validation split."
            )
            if self._sharded:
                with self._store.written():
                    self._save()
        kept = kept_groups(self._settings.warm_start, self._variables())
        state = named_values(kept) if self._workers.is_chief else {}
        return TrainingResult(self._store.whole(self.state.best), history, state=state)

    def _record_start(self) -> Score:
        """What would stand there of an epoch, but that no step was taken."""
        history = self.state.history
        started = time.monotonic()
        validation = self._validate()
        history.seconds["validation"] += time.monotonic() - started
        names = [task.name for task in self._tasks]
        score = self.selection.score(validation)
        weights = self._settings.task_weights
        history.epochs.append(self.state.progress.record(names, weights, validation, score))
        self._note_selection(validation)
        history.gate_weights = self._named(validation.gate_weights)
        history.gate_contributions = self._named(validation.gate_contributions)
        self.state.best = self._store.values(self.model.variables)
        return score

    def _finished(self, last: int) -> bool:
        patience, progress = self._settings.patience, self.state.progress
        out_of_patience = patience is not None and progress.epochs_without_gain >= patience
        return progress.epoch > last or out_of_patience

    def _run_epoch(self, last: int) -> None:
        progress, seconds = self.state.progress, self.state.history.seconds
        mark = time.monotonic()
        for batch in self._batches():
            fetched = time.monotonic()
            losses = self.step(batch).numpy()
            self._count(batch, losses)
            self._addition.after_step(progress)
            now = time.monotonic()
            seconds["input"] += fetched - mark
            seconds["step"] += now - fetched
            progress.epoch_seconds += now - mark
            progress.epoch_input_seconds += fetched - mark
            self._store.check()
            if progress.step % self._settings.checkpoint_every_steps == 0:
                self._save()
            mark = time.monotonic()
        self._addition.after_epoch(progress)
        average = self.step.average
        # What is validated is what is kept.
        with contextlib.nullcontext() if average is None else average.in_place():
            started = time.monotonic()
            validation = self._validate()
            seconds["validation"] += time.monotonic() - started
            self._close_epoch(validation, last)
        self._save()
        if self._workers.is_chief:
            self._job.on_epoch(self.state.history)

    def _best_values(self) -> list[Kept]:
        """The model's, whether they are those of the steps or, in their place, averages."""
        average = self.step.average
        of_rows = {} if average is None else average.rows
        return self._store.values(self.model.variables, of_rows)

    def _validate(self) -> Validation:
        """The chief's result on every worker: all must take the same decisions by it."""
        found = None
        batches = self._job.validation.in_order(_VALIDATION_BATCH)
        if self._workers.is_chief:
            found = asdict(validate(self._predict, batches, self._tasks, self.selection.domains))
        elif self._sharded:
            # The chief's predictions need the rows that this worker holds.
            for batch in batches:
                self._predict(batch)
        return Validation.of_dict(self._workers.chiefs_value(found))

    def _scored(self, batch: Mapping[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        """The model's outputs as it is exported, whatever steps compute in."""
        if not self._sharded:
            return self._outputs(batch)
        strategy = self._job.strategy
        outputs = strategy.run(self._fetched_outputs, args=(batch,))
        return {
            name: strategy.experimental_local_results(values)[0] for name, values in outputs.items()
        }

    def _fetched_outputs(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Those of a batch that all workers have, in the replica's context."""
        average = self.step.average
        read = look_up if average is None else average.look_up
        with self._sharded.fetched(self.model, batch, read):
            return dict(self._outputs(batch))

    def _outputs(self, batch: Mapping[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        average = self.step.average
        averages = (
            contextlib.nullcontext()
            if average is None
            else average.looked_up(self.model.embeddings)
        )
        with in_float32(self.model), averages:
            return self.model(batch, training=False)

    def _batches(self) -> Iterator[dict[str, tf.Tensor]]:
        """The rest of this epoch's batches, as the step takes them."""
        batches = self._job.train.epoch(
            self._settings.batch_size,
            self._settings.seed,
            self.state.progress.epoch,
            skip=self.state.progress.steps_in_epoch,
        )
        return iter(self._job.spread(batches))

    def _count(self, batch: dict[str, tf.Tensor], losses: np.ndarray) -> None:
        progress = self.state.progress
        for task, loss in zip(self._tasks, losses, strict=True):
            check_finite(f"loss of task {task.name!r}", float(loss), progress.step + 1, progress)
        progress.step += 1
        progress.steps_in_epoch += 1
        sums = progress.loss_sums or [0.0] * len(losses)
        progress.loss_sums = [total + float(loss) for total, loss in zip(sums, losses, strict=True)]
        values = self._job.strategy.experimental_local_results(next(iter(batch.values())))
        progress.examples += sum(int(value.shape[0]) for value in values)

    def _close_epoch(self, validation: Validation, last: int) -> None:
        """Adds the epoch's record, keeps its weights if they are the best, goes to the next."""
        progress, history = self.state.progress, self.state.history
        names = [task.name for task in self._tasks]
        for name, loss in validation.loss.items():
            # The last step's update is not seen by any training loss.
            if loss is not None:
                check_finite(f"validation loss of task {name!r}", loss, progress.step, progress)
        score = self.selection.score(validation)
        record = progress.record(names, self._settings.task_weights, validation, score)
        rates = self._last_rates()
        record |= rates
        history.epochs.append(record)
        self._note_selection(validation)
        better = self.selection.is_better(score.value, progress.best_score)
        if better:
            progress.best_score, progress.epochs_without_gain = score.value, 0
            self.state.best = self._best_values()
            history.best_epoch = progress.epoch
            history.gate_weights = self._named(validation.gate_weights)
            history.gate_contributions = self._named(validation.gate_contributions)
        else:
            progress.epochs_without_gain += 1
        history.kept = kept_epoch(history)
        aucs = " ".join(
            f"{name} {auc:.4f}" if auc is not None else f"{name} undefined"
            for name, auc in validation.auc.items()
        )
        logging.info(
            "epoch %d of at most %d: loss %.4f, validation AUC %s, %s %.5f%s%s",
            progress.epoch, last, record["loss"], aucs, self.selection.name,
            score.value, " (best so far)" if better else "",
            "".join(f", {name.replace('_', ' ')} {rate:.3g}" for name, rate in rates.items()),
        )  # fmt: skip
        self.state.progress = progress.next_epoch()
        self._follow_schedule()

    def _last_rates(self) -> dict[str, float]:
        """The learning rates of the epoch's last step, where they are not always the same."""
        if self.step.optimizers.schedule is None:
            return {}
        names = ("learning_rate", "embedding_learning_rate")
        # A method's stages count their steps on.
        progress = self.state.progress
        rates = self.step.optimizers.rates(progress.earlier_steps + progress.step - 1)
        return dict(zip(names, rates, strict=False))

    def _follow_schedule(self) -> None:
        """Lets the schedule hear of the epoch, and sets it to where the progress says it is."""
        state, progress = self.step.optimizers.schedule, self.state.progress
        if state is None:
            return
        before = progress.rate_factor
        progress.rate_factor = state.schedule.factor(before, progress.epochs_without_gain)
        if progress.rate_factor != before:
            logging.info("the learning rate is reduced to %.3g of itself", progress.rate_factor)
        self._place_schedule()

    def _place_schedule(self) -> None:
        """Sets the schedule to the training's own step, whatever its optimiser has counted."""
        state, progress = self.step.optimizers.schedule, self.state.progress
        if state is not None:
            offset = progress.schedule_offset - progress.earlier_steps
            state.place(offset, progress.rate_factor)

    def _begin(self, earlier_steps: int) -> None:
        """Goes on with an optimiser that has taken so many steps before."""
        self.state.progress.earlier_steps = earlier_steps
        self._place_schedule()

    def _note_selection(self, validation: Validation) -> None:
        """Records what epochs are compared by, once: it follows from settings and labels."""
        history = self.state.history
        if history.selection:
            return
        history.selection = self.selection.record(validation)
        history.warnings = self.selection.warnings(validation)
        for warning in history.warnings:
            logging.warning(warning)

    def _named(self, of_gates: dict[str, list[float]]) -> dict[str, dict[str, float]]:
        names = self.model.gate_names
        return {
            task: dict(zip(names[task], values, strict=True))
            for task, values in of_gates.items()
            if task in names
        }

    def _variables(self) -> dict[str, list[keras.Variable]]:
        """All state that steps change, by the name of its group in a checkpoint."""
        own = {"model": self.model.variables, **self.step.variables}
        return {**own, **self._addition.variables}

    def _save(self) -> None:
        self._store.save(self.state, self._variables())

    def _resume(self, found: TrainingState) -> None:
        self.state, progress = found, found.progress
        self.state.history.resumed_from_step = progress.step
        self._place_schedule()
        logging.info("resumed at step %d of epoch %d", progress.step, progress.epoch)
