"""How the reference model is trained: as the candidate is, but for what differs."""

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.methods import method_of


def trainings(experiment: Experiment) -> list[tuple[str, ModelSettings, TrainingSettings]]:
    """Node id, model and training of the candidate and, where there is one, of the reference.

    Raises:
        SettingsError: an unknown network.
    """
    found = [("Trainer", experiment.model, experiment.training)]
    if experiment.gate.reference is not None:
        reference = experiment.gate.reference
        found.append(("ReferenceTrainer", reference, reference_training(experiment)))
    return found


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
