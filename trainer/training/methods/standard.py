"""Standard training: minibatch descent on the summed task losses, with early stopping."""

import contextlib
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from mtlx.trainer.distribution.devices import device_names
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.optimization.learning_rate import needs_length
from mtlx.trainer.optimization.schedules.schedule import TrainingLength
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.training.step import Step
from mtlx.trainer.training.training_progress import TrainingProgress
from mtlx.trainer.validation.history import History
from mtlx.trainer.validation.kept_epoch import kept_epoch
from mtlx.trainer.validation.selection import Selection
from mtlx.trainer.validation.validation import Validation, validate

#: Rows per call when the validation split is predicted.
_VALIDATION_BATCH = 8192


class TrainingDiverged(RuntimeError):
    """The loss is no longer a number."""


class Standard:
    """Passes over the training split until the validation split shows no gain.

    After every epoch its value on the validation split is compared with the best one so far
    (`mtlx.trainer.validation.selection`); the best epoch's weights are the result. State is
    checkpointed every `checkpoint_every_steps` steps and after every epoch; a resumed training sees
    the same batches, compares with the same best value and ends with the same weights.

    On several machines all take the same steps; the chief alone validates and writes, and tells
    the others what it found.

    Shown to learn:
        To keep the best epoch: at a rate that overshoots, epoch 12 of 12 is not it, and the weights
        that are kept have the best epoch's validation AUC to 1e-6 (`test_standard`). All numbers of
        `benchmarks.planted_networks`, such as an AUC of 0.85 of the possible 0.86, come of its
        steps.

    Args:
        job: what is trained on what.
    """

    def __init__(self, job: TrainingJob) -> None:
        self._job, self._settings = job, job.settings
        self._tasks = job.inputs.tasks
        self._selection = Selection.of(job.settings, job.inputs)
        self._workers = WorkerGroup(job.strategy)
        self._length = self._find_length()
        self._progress, self._history = TrainingProgress(), History()
        self._best: list[np.ndarray] = []
        keras.utils.set_random_seed(job.settings.seed)
        with job.strategy.scope():
            self._model = job.build_model()
        self._first_step = self._make_step()
        self._step: Step = self._first_step
        self._predict = tf.function(
            lambda batch: self._model(batch, training=False),
            autograph=False,
            reduce_retracing=True,
        )

    def train(self) -> TrainingResult:
        """Trains, from the last checkpoint where there is one.

        Raises:
            TrainingDiverged: the loss is no longer finite.
        """
        # Once more: whatever was seeded since would change lazily built weights and the batches.
        keras.utils.set_random_seed(self._settings.seed)
        self._prepare(next(iter(self._job.train.in_order(1))))
        self._history.parameters = int(
            sum(np.prod(weight.shape) for weight in self._model.trainable_variables)
        )
        self._history.devices = device_names(self._job.strategy)
        self._restore()
        self._run_stages()
        return TrainingResult(self._best, self._history)

    def _run_stages(self) -> None:
        """Runs all epochs; a method of several stages runs them one after the other."""
        self._run_epochs()

    def _run_epochs(self) -> None:
        """Runs the epochs of the present stage, or what is left of them."""
        while not self._finished():
            self._run_epoch()

    @property
    def _last_epoch(self) -> int:
        """Number of the present stage's last epoch, if nothing stops it before."""
        return self._settings.epochs

    def _make_step(self) -> OrdinaryStep:
        """The step that is taken on every batch."""
        return OrdinaryStep(
            self._model, self._tasks, self._settings, self._job.strategy, length=self._length
        )

    def _find_length(self) -> TrainingLength | None:
        """How long the training is; None where nothing depends on it: rows must be counted."""
        if not needs_length(self._settings.schedule):
            return None
        epoch_steps = math.ceil(self._job.train.rows / self._settings.batch_size)
        return TrainingLength(epoch_steps, self._all_epochs)

    @property
    def _all_epochs(self) -> int:
        """Of all stages, if nothing stops them before."""
        return self._settings.epochs

    def _prepare(self, batch: dict[str, tf.Tensor]) -> None:
        """Creates all state that a checkpoint may hold."""
        self._step.prepare(batch)

    def _after_step(self) -> None:
        """What a method does besides, after every step and before its checkpoint."""

    def _after_epoch(self) -> None:
        """What a method does besides, after an epoch's steps and before its validation."""

    def _finished(self) -> bool:
        patience = self._settings.patience
        out_of_patience = patience is not None and self._progress.epochs_without_gain >= patience
        return self._progress.epoch > self._last_epoch or out_of_patience

    def _run_epoch(self) -> None:
        progress, seconds = self._progress, self._history.seconds
        mark = time.monotonic()
        for batch in self._batches():
            fetched = time.monotonic()
            losses = self._step(batch).numpy()
            self._count(batch, losses)
            self._after_step()
            now = time.monotonic()
            seconds["input"] += fetched - mark
            seconds["step"] += now - fetched
            progress.epoch_seconds += now - mark
            progress.epoch_input_seconds += fetched - mark
            if progress.step % self._settings.checkpoint_every_steps == 0:
                self._save()
            mark = time.monotonic()
        self._after_epoch()
        average = self._step.average
        # What is validated is what is kept.
        with contextlib.nullcontext() if average is None else average.in_place():
            started = time.monotonic()
            validation = self._validate()
            seconds["validation"] += time.monotonic() - started
            self._close_epoch(validation)
        self._save()
        if self._workers.is_chief:
            self._job.on_epoch(self._history)

    def _validate(self) -> Validation:
        """The chief's result on every worker: all must take the same decisions by it."""
        found = None
        if self._workers.is_chief:
            batches = self._job.validation.in_order(_VALIDATION_BATCH)
            found = asdict(validate(self._predict, batches, self._tasks, self._selection.domains))
        return Validation.of_dict(self._workers.chiefs_value(found))

    def _batches(self) -> Iterator[dict[str, tf.Tensor]]:
        """The rest of this epoch's batches, as the step takes them."""
        batches = self._job.train.epoch(
            self._settings.batch_size,
            self._settings.seed,
            self._progress.epoch,
            skip=self._progress.steps_in_epoch,
        )
        return iter(self._spread(batches))

    def _spread(self, batches: tf.data.Dataset) -> Iterable[dict[str, tf.Tensor]]:
        """Batches, each divided among the replicas of one machine where there are several."""
        if self._workers.several:
            return batches
        if self._job.strategy.num_replicas_in_sync > 1:
            return self._job.strategy.experimental_distribute_dataset(batches)
        return batches

    def _count(self, batch: dict[str, tf.Tensor], losses: np.ndarray) -> None:
        progress = self._progress
        for task, loss in zip(self._tasks, losses, strict=True):
            self._check_finite(f"loss of task {task.name!r}", float(loss), progress.step + 1)
        progress.step += 1
        progress.steps_in_epoch += 1
        sums = progress.loss_sums or [0.0] * len(losses)
        progress.loss_sums = [total + float(loss) for total, loss in zip(sums, losses, strict=True)]
        values = self._job.strategy.experimental_local_results(next(iter(batch.values())))
        progress.examples += sum(int(value.shape[0]) for value in values)

    def _check_finite(self, what: str, value: float, step: int) -> None:
        if not np.isfinite(value):
            raise TrainingDiverged(
                f"the {what} is {value} at step {step} (epoch {self._progress.epoch}): lower "
                "training.learning_rate, set training.clip_norm, or transform features of great "
                "range (zscore, log)"
            )

    def _close_epoch(self, validation: Validation) -> None:
        """Adds the epoch's record, keeps its weights if they are the best, goes to the next."""
        progress, names = self._progress, [task.name for task in self._tasks]
        for name, loss in validation.loss.items():
            # The last step's update is not seen by any training loss.
            if loss is not None:
                self._check_finite(f"validation loss of task {name!r}", loss, progress.step)
        score = self._selection.score(validation)
        record = progress.record(names, self._settings.task_weights, validation, score)
        rates = self._last_rates()
        record |= rates
        self._history.epochs.append(record)
        self._note_selection(validation)
        better = self._selection.is_better(score.value, progress.best_score)
        if better:
            progress.best_score, progress.epochs_without_gain = score.value, 0
            self._history.best_epoch = progress.epoch
            self._best = _values(self._model.variables)
            self._history.gate_weights = self._named(validation.gate_weights)
            self._history.gate_contributions = self._named(validation.gate_contributions)
        else:
            progress.epochs_without_gain += 1
        self._history.kept = kept_epoch(self._history)
        aucs = " ".join(
            f"{name} {auc:.4f}" if auc is not None else f"{name} undefined"
            for name, auc in validation.auc.items()
        )
        logging.info(
            "epoch %d of at most %d: loss %.4f, validation AUC %s, %s %.5f%s%s",
            progress.epoch, self._last_epoch, record["loss"], aucs, self._selection.name,
            score.value, " (best so far)" if better else "",
            "".join(f", {name.replace('_', ' ')} {rate:.3g}" for name, rate in rates.items()),
        )  # fmt: skip
        self._progress = progress.next_epoch()
        self._follow_schedule()

    def _last_rates(self) -> dict[str, float]:
        """The learning rates of the epoch's last step, where they are not always the same."""
        if self._step.optimizers.schedule is None:
            return {}
        names = ("learning_rate", "embedding_learning_rate")
        # A method's stages count their steps on.
        return dict(zip(names, self._step.optimizers.rates(self._progress.step - 1), strict=False))

    def _follow_schedule(self) -> None:
        """Lets the schedule hear of the epoch, and sets it to where the progress says it is."""
        state, progress = self._step.optimizers.schedule, self._progress
        if state is None:
            return
        before = progress.rate_factor
        progress.rate_factor = state.schedule.factor(before, progress.epochs_without_gain)
        if progress.rate_factor != before:
            logging.info("the learning rate is reduced to %.3g of itself", progress.rate_factor)
        state.place(progress.schedule_offset, progress.rate_factor)

    def _note_selection(self, validation: Validation) -> None:
        """Records what epochs are compared by, once: it follows from settings and labels."""
        if self._history.selection:
            return
        self._history.selection = self._selection.record(validation)
        self._history.warnings = self._selection.warnings(validation)
        for warning in self._history.warnings:
            logging.warning(warning)

    def _named(self, of_gates: dict[str, list[float]]) -> dict[str, dict[str, float]]:
        names = getattr(self._model, "gate_names", {})
        return {
            task: dict(zip(names[task], values, strict=True))
            for task, values in of_gates.items()
            if task in names
        }

    def _variables(self) -> dict[str, list[keras.Variable]]:
        """All state that steps change, by the name of its group in a checkpoint."""
        return {"model": self._model.variables, **self._step.variables}

    def _save(self) -> None:
        if not self._workers.is_chief:
            return
        arrays = {name: _values(variables) for name, variables in self._variables().items()}
        self._job.checkpoints.save(
            {**arrays, "best": self._best},
            {"progress": asdict(self._progress), "history": asdict(self._history)},
        )

    def _restore(self) -> None:
        groups = self._variables()
        found = self._load(groups) if self._workers.is_chief else None
        arrays, state = found or ({}, None)
        state = self._workers.chiefs_value(state)
        if state is None:
            return
        for name, group in groups.items():
            values = self._workers.chiefs_arrays(arrays.get(name, []), _shapes(group))
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        shapes = _shapes(groups["model"]) if state["history"]["best_epoch"] else []
        self._best = self._workers.chiefs_arrays(arrays.get("best", []), shapes)
        self._progress, self._history = (
            TrainingProgress(**state["progress"]),
            History(**state["history"]),
        )
        self._history.resumed_from_step = self._progress.step
        if self._step.optimizers.schedule is not None:
            self._step.optimizers.schedule.place(
                self._progress.schedule_offset, self._progress.rate_factor
            )
        logging.info("resumed at step %d of epoch %d", self._progress.step, self._progress.epoch)

    def _load(
        self, groups: dict[str, list[keras.Variable]]
    ) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]] | None:
        """The last checkpoint's arrays and state, where there is one that fits."""
        found = self._job.checkpoints.load()
        if found is None:
            return None
        arrays = found[0]
        if any(_shapes(group) != _shapes(arrays.get(name, [])) for name, group in groups.items()):
            logging.warning("the checkpoint is of another version of this model: training anew")
            return None
        return found


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _shapes(arrays: list[keras.Variable] | list[np.ndarray]) -> list[tuple[int, ...]]:
    return [tuple(array.shape) for array in arrays]
