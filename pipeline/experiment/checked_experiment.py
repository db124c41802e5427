"""The one way to an experiment that is fit to be run, compiled, submitted or counted."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mtlx.pipeline.experiment.cluster_settings import with_cluster_settings
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import SettingsError


def checked_experiment(
    path: str | Path,
    overrides: Sequence[str] = (),
    data_root: str | None = None,
    look: Callable[[Experiment], None] | None = None,
    busy: contextlib.AbstractContextManager[Any] | None = None,
) -> Experiment:
    """Reads an experiment file and checks all that it says, here and on the cluster.

    What can be known to be wrong at once is refused before the classes are imported that know
    the rest, which takes seconds.

    Args:
        path: as for `mtlx.pipeline.experiment.experiment_file.read_experiment`, as the next two.
        overrides: ``section.key=value`` settings that replace the file's.
        data_root: folder for relative data paths.
        look: looks at the world around the experiment as soon as it is read, and raises
            `ExperimentFileError` where something is not there or in the way.
        busy: entered while classes are imported, to tell a person so.

    Raises:
        ExperimentFileError: no such file, no YAML, wrong settings or options.
    """
    experiment = read_experiment(path, overrides, data_root)
    if look is not None:
        look(experiment)
    with busy or contextlib.nullcontext(), heavy_imports():
        check_options(experiment)
    return experiment


def check_options(experiment: Experiment) -> None:
    """Checks the options of reader, networks, encoders and losses against their constructors.

    Raises:
        ExperimentFileError: an unknown name or option, or an option of the wrong type.
    """
    problems = _problems(experiment)
    if experiment.kubeflow.settings:
        on_cluster = _problems(with_cluster_settings(experiment))
        problems += [f"kubeflow.settings: {text}" for text in on_cluster if text not in problems]
    if problems:
        raise ExperimentFileError("\n".join(problems))


def _problems(experiment: Experiment) -> list[str]:
    problems = []
    for key, registry, name, options in _uses(experiment):
        try:
            registry.validate(name, options)
        except SettingsError as error:
            problems += [f"{key}: {text}" for _, text in error.problems]
    problems += _warm_start_problems(experiment)
    problems += _method_problems(experiment)
    problems += _regression_problems(experiment)
    problems += _correction_problems(experiment)
    # Candidate and reference may share what is wrong.
    return list(dict.fromkeys(problems))


def _warm_start_problems(experiment: Experiment) -> list[str]:
    """Whether the candidate's method can begin with a base model."""
    from mtlx.trainer.networks import NETWORKS
    from mtlx.trainer.training.methods import TRAINING_METHODS, check_warm_start, method_of

    model, training = experiment.model, experiment.training
    if model.network not in NETWORKS:
        return []  # which is said elsewhere
    method = method_of(model, training)
    try:
        if method in TRAINING_METHODS:
            check_warm_start(method, training)
    except SettingsError as error:
        return [f"training.{'.'.join(path)}: {text}" for path, text in error.problems]
    return []


def _method_problems(experiment: Experiment) -> list[str]:
    """What is asked of the methods that train, and is not for them: several seeds, shards."""
    from mtlx.trainer.networks import NETWORKS
    from mtlx.trainer.training.methods import (
        TRAINING_METHODS,
        check_repeats,
        check_sharding,
        method_of,
    )

    problems = []
    for _, key, model, training in _trained(experiment):
        if model.network not in NETWORKS:
            continue  # which is said elsewhere
        method = method_of(model, training)
        try:
            if method in TRAINING_METHODS:
                check_repeats(method, training)
                check_sharding(method, training)
        except SettingsError as error:
            problems += [f"{key}.{'.'.join(path)}: {text}" for path, text in error.problems]
    return problems


def _correction_problems(experiment: Experiment) -> Iterator[str]:
    """Networks and losses behind which no constant corrects the logit of a sampled task."""
    from mtlx.trainer.losses import LOSSES
    from mtlx.trainer.losses.regression import not_corrected
    from mtlx.trainer.model.ranking_model import composes
    from mtlx.trainer.networks import NETWORKS

    sampling = experiment.sampling
    if sampling is None or not sampling.corrects_logit:
        return
    tasks = experiment.contract.task_specs
    for key, loss_key, model, training in _trained(experiment):
        if model.network not in NETWORKS:
            continue  # which is said elsewhere
        network = NETWORKS.get(model.network)
        if not network.takes_correction:
            yield f"{key}.network: {composes(model.network, sampling.task)}"
            continue  # Its own loss is of the same kind.
        terms = [(term.name, term.options) for term in training.loss or ()]
        if training.loss is None and model.arrangement == "joint":
            terms = [(one["name"], {}) for one in getattr(network, "default_losses", ())]
        for name, options in terms:
            try:
                corrected = LOSSES.build(name, dict(options), tasks).corrected_by_constant
            except SettingsError:
                continue  # likewise
            if not corrected:
                yield f"{loss_key}.loss: {not_corrected(name, sampling.task)}"


def _trained(
    experiment: Experiment,
) -> Iterator[tuple[str, str, ModelSettings, TrainingSettings]]:
    """Key of the model, key of its training, and both."""
    yield "model", "training", experiment.model, experiment.training
    if experiment.gate.reference is not None:
        key = "gate.reference_training"
        yield "gate.reference", key, experiment.gate.reference, experiment.reference_training


def _regression_problems(experiment: Experiment) -> Iterator[str]:
    """Networks and losses that a task whose labels are numbers can't have."""
    from mtlx.trainer.losses import LOSSES
    from mtlx.trainer.networks import NETWORKS

    numbers = sorted(experiment.contract.regressions)
    for key, registry, name, _ in _uses(experiment) if numbers else ():
        if registry is NETWORKS and name in NETWORKS and not NETWORKS.get(name).takes_regressions:
            yield (
                f"{key}.network: {name!r} knows labels 0 and 1 alone, and task {numbers[0]!r} is a "
                "regression: choose a network whose towers give logits, such as 'shared_bottom'"
            )
        if registry is LOSSES and name in LOSSES and not LOSSES.get(name).beside_regressions:
            yield (
                f"{key}: {name!r} knows labels 0 and 1 alone, and task {numbers[0]!r} is a "
                "regression: take 'binary_cross_entropy' for the other tasks"
            )


def _uses(experiment: Experiment) -> Iterator[tuple[str, Registry, str, dict[str, Any]]]:
    """Every registered name that the experiment uses: key, registry, name, options."""
    from mtlx.components.log_example_gen.readers import READERS
    from mtlx.trainer.losses import LOSSES
    from mtlx.trainer.model.arrangements import ARRANGEMENTS
    from mtlx.trainer.networks import NETWORKS
    from mtlx.trainer.optimization.schedules import SCHEDULES
    from mtlx.trainer.parts.bottoms import BOTTOMS
    from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
    from mtlx.trainer.training.methods import TRAINING_METHODS, method_of

    yield "data", READERS, experiment.data.reader, experiment.data.options
    models = [("model", experiment.model, "training", experiment.training)]
    if experiment.gate.reference is not None:
        models.append(("gate.reference", experiment.gate.reference, *_of_reference(experiment)))
    for key, model, training_key, training in models:
        for loss in training.loss or ():
            yield f"{training_key}.loss", LOSSES, loss.name, loss.options
        schedule = training.schedule
        yield f"{training_key}.schedule", SCHEDULES, schedule.name, schedule.options
        yield key, NETWORKS, model.network, model.options
        yield key, SEQUENCE_ENCODERS, model.sequence_encoder, model.sequence_options
        yield key, BOTTOMS, model.bottom, model.bottom_options
        yield key, ARRANGEMENTS, model.arrangement, {}
        if training.method or model.network in NETWORKS:
            method, options = method_of(model, training), training.method_options
            yield f"{training_key}.method", TRAINING_METHODS, method, options


def _of_reference(experiment: Experiment) -> tuple[str, TrainingSettings]:
    """Where the reference's training is set, for messages, and what it is."""
    from mtlx.pipeline.experiment.reference_training import reference_training
    from mtlx.trainer.networks import NETWORKS

    models = [model for model in (experiment.model, experiment.gate.reference) if model]
    if any(model.network not in NETWORKS for model in models):  # which is said elsewhere
        return "training", experiment.reference_training
    own = experiment.gate.reference_training
    key = "gate.reference_training" if {"method", "loss"} & own.keys() else "training"
    return key, reference_training(experiment)
