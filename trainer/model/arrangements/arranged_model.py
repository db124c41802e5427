"""What all arrangements have in common: models of their own inside, one model's interface."""

import dataclasses

import keras

from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks.network import DEFAULT_LOSSES
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

Outputs = dict[str, keras.KerasTensor]


class ArrangedModel(GradientModel):
    """A model made of ranking models, with the interface of one.

    Args:
        models: the models inside.

    Attributes:
        inputs_record: as of `RankingModel`.
        gate_names: as of `RankingModel`.
        default_losses: the cross-entropy, and the encoder's own; tasks told apart by model or
            output have no chain that a loss of the network's own could follow. An arrangement
            that keeps the tasks together keeps the network's.
    """

    def __init__(self, inputs: ModelInputs, models: list[RankingModel]):
        super().__init__()
        self.inputs_record = inputs
        self.models = models
        self.default_losses = (*DEFAULT_LOSSES, *models[0].encoder_losses)
        # Keras asks for it before a stateless call, which may be the first of all calls.
        self.build()

    def build(self, *_: object) -> None:
        """Makes nothing: the models inside have their weights."""

    @property
    def embeddings(self) -> list[FieldEmbedding]:
        """Those of all models."""
        return [part for model in self.models for part in model.embeddings]

    @property
    def fusion_variables(self) -> list[keras.Variable]:
        """Those of all models."""
        return [variable for model in self.models for variable in model.fusion_variables]

    def drop_training_parts(self) -> None:
        """See `RankingModel`."""
        for model in self.models:
            model.drop_training_parts()


def losses_of_encoders(parts: list[Outputs]) -> Outputs:
    """ "losses/<name>" ``(B,)`` of the models inside, added up."""
    names = [name for name in parts[0] if name.startswith("losses/")]
    return {name: sum(part[name] for part in parts) for name in names}


def domain_task(task: TaskSpec, domain: str) -> TaskSpec:
    """One task in one domain, as a task of its own; it comes after its parent in that domain."""
    return dataclasses.replace(
        task,
        name=f"{task.name}@{domain}",
        after=None if task.after is None else f"{task.after}@{domain}",
        population=None if task.population is None else f"{task.population}@{domain}",
    )
