"""Whether a Trainer begins with a base model, and with which."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tensorflow_transform as tft
from absl import logging

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of
from mtlx.trainer.warm_start.base_model import BaseModel, BaseModelError
from mtlx.trainer.warm_start.warm_start import WarmStart, vocabularies_of
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import ModelInputs

if TYPE_CHECKING:  # See `mtlx.trainer.run_fn`.
    from tfx.components.trainer.fn_args_utils import FnArgs

#: Training method of which a base model is a smaller one, and the option that says what it lacks.
_TRIMMED_BY, _TRIMMED = "gate_trim", "dropped"
_REMEDY = "Name another one, or train from the start: set warm_start.otherwise to initial"


@dataclass
class Beginning:
    """What a training begins with.

    Attributes:
        model: settings of the model to train: the experiment's, but that a trimmed network stays
            as it was trimmed.
        start: the base model; None for random weights.
        folder: of the base model.
        possible: whether another training can begin with a checkpoint of this one.
        epochs: passes over the rows, where they are others than those of the settings.
        earlier: what was said before there is a `start` to say it.
    """

    model: ModelSettings
    start: WarmStart | None = None
    folder: str | None = None
    possible: bool = True
    epochs: int | None = None
    earlier: list[str] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """What became of it, in words."""
        return [*self.earlier, *(self.start.notes if self.start else [])]

    @classmethod
    def of(
        cls,
        fn_args: "FnArgs",
        contract: DataContract,
        model: ModelSettings,
        training: TrainingSettings,
        transformed: tft.TFTransformOutput,
        inputs: ModelInputs,
    ) -> "Beginning":
        """What the settings ask for.

        Args:
            fn_args: of the Trainer; ``base_model`` is the latest blessed one, where there is one.
            contract: today's data contract.
            model: settings of the model to train.
            training: how it is trained.
            transformed: today's transform.
            inputs: what the model is built from.

        Raises:
            BaseModelError: there is no base model any more, or one without a record; and settings
                don't say `otherwise`. Or no step is to be taken, and none is there.
        """
        possible = TRAINING_METHODS.get(method_of(model, training)).warm_starts
        settings = training.warm_start
        if settings is None:
            return cls(model, possible=possible)
        folder = settings.folder or getattr(fn_args, "base_model", None)
        if folder is None:
            return cls(model, earlier=[_said(_none_yet(training))])
        if not training.epochs:  # or what is exported would be random
            settings = settings.model_copy(update={"otherwise": "refuse"})
        try:
            base = BaseModel(folder)
            base.inputs  # noqa: B018 (reads the vocabularies, which may be gone)
        except BaseModelError as error:
            if settings.otherwise == "refuse":
                raise BaseModelError(f"training.warm_start: {error}. {_REMEDY}") from error
            return cls(model, earlier=[_said(f"Trained from the start: {error}.")])
        model = _as_trimmed(model, training, base)
        # Its examples are those that the base model has not seen: the resolver saw to that.
        epochs = settings.epochs if settings.incremental else None
        start = WarmStart(
            settings,
            base,
            contract,
            model,
            inputs,
            vocabularies_of(contract, transformed),
            lambda record: build_model(record, model),
        )
        return cls(model, start, base.folder, epochs=epochs)


def _none_yet(training: TrainingSettings) -> str:
    if not training.epochs:
        raise BaseModelError(
            "training.epochs is 0, which takes over the latest blessed model as it is, but none "
            "has been blessed before: train for an epoch at least"
        )
    if training.warm_start is not None and training.warm_start.every is not None:
        return (
            "Trained from the start, on the whole window: it is time for that "
            "(warm_start.every), or no model was blessed before this run's data came."
        )
    return "Trained from the start: no model was blessed before this run's data came."


def _said(note: str) -> str:
    logging.info(note)
    return note


def _as_trimmed(model: ModelSettings, training: TrainingSettings, base: BaseModel) -> ModelSettings:
    """A network that was trimmed goes on as it is, and may be trimmed further."""
    before = base.record.model
    if method_of(model, training) != _TRIMMED_BY or before.network != model.network:
        return model
    if _TRIMMED not in before.options:
        return model
    options = {**model.options, _TRIMMED: before.options[_TRIMMED]}
    return model.model_copy(update={"options": options})
