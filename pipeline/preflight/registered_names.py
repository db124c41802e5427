"""Whether the names that an experiment uses are registered, without importing what bears them."""

from collections.abc import Iterator

from mtlx.components.log_example_gen.readers import READERS
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.optimization.schedules import SCHEDULES
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.parts.sequence_encoders.encoder_registry import chosen_sequences
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.transform.config.names import suggest
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import SettingsError


def name_problems(experiment: Experiment) -> list[str]:
    """Unknown names of readers, networks, losses, sequences; and wrong options of the reader.

    The options of models are known to their classes alone, which are Keras layers: see
    `mtlx.pipeline.experiment.checked_experiment.check_options`.

    Returns:
        One sentence per problem, beginning with the key.
    """
    problems = [
        f"{key}: unknown {registry.kind} {name!r}, {suggest(name, registry)}"
        for key, registry, name in _uses(experiment)
        if name not in registry
    ]
    if experiment.data.reader in READERS:
        try:
            READERS.validate(experiment.data.reader, experiment.data.options)
        except SettingsError as error:
            problems += [f"data.options: {text}" for _, text in error.problems]
    problems += _sequence_problems(experiment)
    return list(dict.fromkeys(problems))


def _sequence_problems(experiment: Experiment) -> Iterator[str]:
    """Sequences that an encoder is to read, and that the features do not have."""
    features = experiment.features.items()
    known = [name for name, feature in features if feature.kind == "sequence"]
    models = {"model": experiment.model, "gate.reference": experiment.gate.reference}
    for key, model in models.items():
        if model is None:
            continue
        try:
            chosen_sequences(model.sequence_options.get("sequences"), known)
        except SettingsError as error:
            for path, text in error.problems:
                yield f"{key}.sequence_options.{'.'.join(path)}: {text}"


def check_names(experiment: Experiment, source: str) -> None:
    """Refuses what `name_problems` finds.

    Raises:
        ExperimentFileError: lists every problem, behind the file's path `source`.
    """
    problems = name_problems(experiment)
    if problems:
        raise ExperimentFileError("\n".join(f"{source}: {problem}" for problem in problems))


def _uses(experiment: Experiment) -> Iterator[tuple[str, Registry, str]]:
    yield "data.reader", READERS, experiment.data.reader
    yield from _of_model("model", experiment.model)
    yield from _of_training("training", experiment.training)
    if experiment.gate.reference is not None:
        yield from _of_model("gate.reference", experiment.gate.reference)
        yield from _of_training("gate.reference_training", experiment.reference_training)


def _of_model(key: str, model: ModelSettings) -> Iterator[tuple[str, Registry, str]]:
    yield f"{key}.network", NETWORKS, model.network
    yield f"{key}.sequence_encoder", SEQUENCE_ENCODERS, model.sequence_encoder
    yield f"{key}.bottom", BOTTOMS, model.bottom
    yield f"{key}.arrangement", ARRANGEMENTS, model.arrangement


def _of_training(key: str, training: TrainingSettings) -> Iterator[tuple[str, Registry, str]]:
    if training.method is not None:
        yield f"{key}.method", TRAINING_METHODS, training.method
    for loss in training.loss or ():
        yield f"{key}.loss", LOSSES, loss.name
    yield f"{key}.schedule", SCHEDULES, training.schedule.name
