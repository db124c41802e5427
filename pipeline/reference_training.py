"""How the reference model is trained: as the candidate is, but for what differs."""

from pipeline.experiment import Experiment
from trainer.networks import NETWORKS
from trainer.settings import ModelSettings, TrainingSettings


def method_of(model: ModelSettings, training: TrainingSettings) -> str:
    """The method that a model is trained with: the training's, or its network's own.

    Raises:
        SettingsError: an unknown network.
    """
    return training.method or NETWORKS.get(model.network).default_method


def reference_training(experiment: Experiment) -> TrainingSettings:
    """The reference's training: `training`, with what `gate.reference_training` says instead.

    Options belong to a method: where the reference's is another one than the candidate's,
    `training.method_options` are not for it.

    Raises:
        SettingsError: an unknown network.
    """
    training = experiment.reference_training
    reference = experiment.gate.reference
    if reference is None or "method_options" in experiment.gate.reference_training:
        return training
    if method_of(reference, training) == method_of(experiment.model, experiment.training):
        return training
    return training.model_copy(update={"method_options": {}})
