"""How many parameters a model has for the features, tasks and domains of an experiment."""

from dataclasses import dataclass

import numpy as np

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.model_inputs import ModelInputs

#: Settings of the catalogue that name a part of a model, and that part's options.
COUNTED = {
    "model.network": ("network", "options"),
    "model.sequence_encoder": ("sequence_encoder", "sequence_options"),
    "model.bottom": ("bottom", "bottom_options"),
    "model.arrangement": ("arrangement", None),
}


@dataclass(frozen=True)
class ParameterCount:
    """Trainable weights of a model.

    Attributes:
        embedding: in the embedding tables.
        rest: all others.
    """

    embedding: int
    rest: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.embedding + self.rest

    def __str__(self) -> str:
        return (
            f"{self.total:,} parameters\n"
            f"  embedding table  {self.embedding:>15,}\n"
            f"  the rest         {self.rest:>15,}"
        )


def with_part(model: ModelSettings, setting: str, name: str) -> ModelSettings:
    """A model with one part exchanged for a member with its default options.

    Args:
        model: the other parts.
        setting: which part, a key of `COUNTED`.
        name: the member.
    """
    part, options = COUNTED[setting]
    return model.model_copy(update={part: name, **({options: {}} if options else {})})


def count_parameters(
    experiment: Experiment, model: ModelSettings, vocabulary: int
) -> ParameterCount:
    """Builds the model, without any data, and counts.

    Args:
        experiment: its data contract is what the model is built for.
        model: the model.
        vocabulary: assumed number of values of every feature that has a vocabulary; only a run
            knows the true ones.

    Raises:
        SettingsError: the model can't be built by these settings.
    """
    return count_for(model_inputs(experiment.contract, lambda _: vocabulary), model)


def count_for(inputs: ModelInputs, model: ModelSettings) -> ParameterCount:
    """Builds the model and counts.

    Args:
        inputs: that it is built for.
        model: the model.

    Raises:
        SettingsError: the model can't be built by these settings.
    """
    built = build_model(inputs, model)
    if not isinstance(built, GradientModel):  # Trees: nothing is there before they have grown.
        return ParameterCount(0, 0)
    total = sum(int(np.prod(weight.shape)) for weight in built.trainable_weights)
    tables = sum(part.rows * part.size for part in built.embeddings)
    return ParameterCount(tables, total - tables)
