"""DTN-trim: train, drop the modules that add hardly anything, fine-tune the smaller model."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import keras
import numpy as np
from absl import logging
from pydantic import Field, PositiveFloat, PositiveInt

from mtlx.trainer.layers.embedding.tables import tables_given
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks.dtn.dtn import DTN
from mtlx.trainer.networks.dtn.dtn_dropped import small_modules
from mtlx.trainer.networks.dtn.dtn_weights import take_weights
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.methods.standard import Standard
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.training.stored.sharded_array import Kept, give
from mtlx.trainer.validation.history import History
from mtlx.trainer.validation.kept_epoch import kept_epoch
from mtlx.transform.config.settings import SettingsError


class GateTrim(TrainingMethod):
    """Trims a DTN by its gates (DTN paper, feature interaction selection).

    1. Standard training.
    2. Each task's gates drop the modules that add less than `threshold` to the gate's mix on the
       validation split, over the task's population; the first of each gate always stays. A
       module that no gate sees any more is not built.
    3. Standard training of the smaller model, from the weights that it kept. Where no epoch of it
       is better on the validation split, the model as it was trimmed is the result.

    The paper cuts "some less important feature interaction modules based on gating weights" and
    saves about 9 % of the parameters; it gives no threshold and does not say whether the rest is
    trained on. A weight does not say what a module adds: where modules are mixed at the sizes
    that they happen to have, or p_u is small, half of a gate's weight may add a hundredth. So
    modules are compared by weight × RMS of what the weight multiplies, p_u included, as a share
    (`mtlx.trainer.layers.gate_outputs`); `by` ``weight`` is the paper's way. Two gates share a
    task: each one's weights sum to 1, and so do its shares.

    An interrupted training goes on in the part that it was in. A schedule of the learning rate
    starts anew for the smaller model, without `warm_up_steps`.

    Shown to learn:
        Which of a click's own modules to drop, on planted gates: the one whose gate has 0.65 and
        whose output is a ten-thousandth goes, the one with 0.05 and nearly all of the output stays,
        and the trimmed logits keep a correlation above 0.95 with the whole ones; by weight alone it
        is the other way round, and at least 0.02 less (`test_gate_trim`).

    Args:
        job: what is trained on what; the model is a DTN in arrangement ``joint``.
        threshold: least mean share, or weight, of a module that stays.
        by: what is compared with the threshold.
        fine_tune_epochs: at most so many epochs of the smaller model.
        fine_tune_learning_rate: of the smaller model; None for the training's own.

    Raises:
        SettingsError: the model is no DTN.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1,
        by: Literal["contribution", "weight"] = "contribution",
        fine_tune_epochs: PositiveInt = 1,
        fine_tune_learning_rate: PositiveFloat | None = None,
    ) -> None:
        self._job, self._threshold, self._by = job, threshold, by
        self._epochs = fine_tune_epochs
        self._learning_rate = fine_tune_learning_rate or job.settings.learning_rate
        model = job.build_model()
        if not isinstance(model, RankingModel) or not isinstance(model.network, DTN):
            text = "'gate_trim' trims network 'dtn' in arrangement 'joint', which this model is not"
            raise SettingsError([(("method",), text)])

    def train(self) -> TrainingResult:
        """Trains, trims and fine-tunes, from the last checkpoint where there is one.

        Raises:
            TrainingDiverged: the loss is no longer finite.
        """
        first = Standard(self._job).train()
        larger = _with_weights(self._job.build_model, first.weights)
        history = first.history
        values = history.gate_weights if self._by == "weight" else history.gate_contributions
        dropped = self._below_threshold(larger.network, values)
        if not self._job.settings.epochs:
            first.history.notes.append("No step was taken, so that nothing was dropped.")
            return first
        if not dropped:
            note = f"No module's mean {self._by} is below {self._threshold}: nothing was dropped."
            first.history.notes.append(note)
            return first
        smaller = _trimmed(larger, dropped)
        weights = [np.array(variable) for variable in smaller.variables]
        notes = _describe(dropped, larger, smaller)
        for note in notes:
            logging.info(note)
        job = self._second_job(smaller, weights, first.history)
        second = Standard(job).train()
        history = _joined(first.history, second.history)
        history.notes += notes
        return TrainingResult(
            second.weights, history, lambda: _rebuilt(smaller), second.state, smaller.settings
        )

    def _below_threshold(
        self, network: DTN, values_of_task: dict[str, dict[str, float]]
    ) -> dict[str, list[str]]:
        """Names of the modules to drop by task."""
        return small_modules(
            network.tasks, network.names, network.visible, values_of_task, self._threshold
        )

    def _second_job(
        self, smaller: RankingModel, weights: list[np.ndarray], first: History
    ) -> TrainingJob:
        """Fine-tuning, with a checkpoint of its own beside the first training's."""
        job = self._job
        # Steps that warm up a training may be more than this one has.
        schedule = job.settings.schedule.model_copy(update={"warm_up_steps": 0})
        settings = job.settings.model_copy(
            update={
                "epochs": self._epochs,
                "learning_rate": self._learning_rate,
                "schedule": schedule,
            }
        )
        return dataclasses.replace(
            job,
            settings=settings,
            build_model=lambda: _with_weights(lambda: _rebuilt(smaller), weights),
            checkpoints=job.checkpoints.part("trimmed"),
            start=None,
            start_competes=True,
            on_epoch=lambda history: job.on_epoch(_joined(first, history)),
        )


def _trimmed(larger: RankingModel, dropped: dict[str, list[str]]) -> RankingModel:
    """A smaller model with the weights of what it keeps."""
    before = larger.settings.options.get("dropped", {})
    every = {
        task: [*before.get(task, []), *dropped.get(task, [])] for task in {**before, **dropped}
    }
    options = {**larger.settings.options, "dropped": every}
    settings = larger.settings.model_copy(update={"options": options})
    smaller = RankingModel(larger.inputs_record, settings)
    # Those of the smaller one: numbers of values are there for modules that may have gone.
    embedded = {weight.name: weight for weight in larger.embedding.weights}
    for old, new in (
        *((embedded[weight.name], weight) for weight in smaller.embedding.weights),
        *zip(larger.encoder.weights, smaller.encoder.weights, strict=True),
        *zip(larger.bottom.weights, smaller.bottom.weights, strict=True),
    ):
        new.assign(old)
    take_weights(larger.network, smaller.network)
    return smaller


def _rebuilt(model: RankingModel) -> RankingModel:
    return RankingModel(model.inputs_record, model.settings)


def _with_weights(build_model: Callable[[], keras.Model], weights: Sequence[Kept]) -> keras.Model:
    with tables_given():
        model = build_model()
    for variable, value in zip(model.variables, weights, strict=True):
        give(variable, value)
    return model


def _parameters(model: keras.Model) -> int:
    return int(sum(np.prod(weight.shape) for weight in model.trainable_variables))


def _describe(
    dropped: dict[str, list[str]], larger: RankingModel, smaller: RankingModel
) -> list[str]:
    """What was dropped and what that saved, in words."""
    notes = [f"Task {task} no longer reads {', '.join(names)}." for task, names in dropped.items()]
    gone = [name for name in larger.network.names if name not in smaller.network.names]
    before, after = _parameters(larger), _parameters(smaller)
    notes.append(
        f"Modules without a reader: {', '.join(gone) or 'none'}. Trimming saved "
        f"{before - after:,} of {before:,} parameters ({(before - after) / before:.1%})."
    )
    return notes


def _joined(first: History, second: History) -> History:
    """One history of both trainings; the kept epoch, gates and size are the second's.

    Its epochs compete among themselves: those of the first training are of another model. The
    first one is the model as it was trimmed.
    """
    done = len(first.epochs) + 1
    epochs = [{**record, "epoch": record["epoch"] + done} for record in second.epochs]
    as_trimmed = f"Epoch {done} is the smaller model as it was trimmed, before any step."
    resumed = second.resumed_from_step
    joined = dataclasses.replace(
        second,
        epochs=[*first.epochs, *epochs],
        selection={**second.selection, "first_epoch": done},
        warnings=list(dict.fromkeys([*first.warnings, *second.warnings])),
        best_epoch=second.best_epoch + done,
        seconds={name: value + second.seconds[name] for name, value in first.seconds.items()},
        resumed_from_step=first.resumed_from_step if resumed is None else resumed,
        notes=[*first.notes, *second.notes, as_trimmed],
    )
    joined.kept = kept_epoch(joined)
    return joined
