"""Reads an experiment file (YAML) into an `Experiment`; errors name file, line, key and remedy."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.experiment import Experiment
from pipeline.presets import expand_presets
from trainer.settings import TrainingSettings
from transform.registry import Registry
from transform.settings import SettingsError

#: Environment variable with the folder under which relative data paths are looked up first.
DATA_ROOT_VARIABLE = "MTLX_DATA"


class ExperimentFileError(ValueError):
    """The experiment file is wrong; the message has one line per problem."""


def read_experiment(
    path: str | Path,
    overrides: Sequence[str] = (),
    data_root: str | None = None,
) -> Experiment:
    """Reads and validates an experiment file.

    Args:
        path: the YAML file.
        overrides: ``section.key=value`` settings that replace the file's; values are YAML.
        data_root: folder for relative data paths; `DATA_ROOT_VARIABLE`'s value if None.

    Returns:
        The experiment, with `data.path` made absolute.

    Raises:
        ExperimentFileError: no such file, no YAML, or wrong settings.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ExperimentFileError(
            f"{path}: {error.strerror}. Give the path of an experiment file, "
            "for example configs/default.yaml"
        ) from error
    values, lines = _parse(text, str(path))
    for override in overrides:
        _apply_override(values, override)
    _resolve_data_path(values, data_root or os.environ.get(DATA_ROOT_VARIABLE))
    try:
        return Experiment.read(expand_presets(values))
    except SettingsError as error:
        raise ExperimentFileError(
            "\n".join(_with_line(str(path), lines, *problem) for problem in error.problems)
        ) from error


def check_options(experiment: Experiment) -> None:
    """Checks the options of reader, networks, encoders and losses against their constructors.

    Apart from `read_experiment`, because it imports the models, which takes seconds.

    Raises:
        ExperimentFileError: an unknown name or option, or an option of the wrong type.
    """
    problems = []
    for key, registry, name, options in _uses(experiment):
        try:
            registry.validate(name, options)
        except SettingsError as error:
            problems += [f"{key}: {text}" for _, text in error.problems]
    if problems:
        # Candidate and reference may share what is wrong.
        raise ExperimentFileError("\n".join(dict.fromkeys(problems)))


def _uses(experiment: Experiment) -> Iterator[tuple[str, Registry, str, dict[str, Any]]]:
    """Every registered name that the experiment uses: key, registry, name, options."""
    from components.log_example_gen.readers import READERS
    from trainer.arrangements import ARRANGEMENTS
    from trainer.bottoms import BOTTOMS
    from trainer.losses import LOSSES
    from trainer.networks import NETWORKS
    from trainer.sequence_encoders import SEQUENCE_ENCODERS
    from trainer.training_methods import TRAINING_METHODS, method_of

    yield "data", READERS, experiment.data.reader, experiment.data.options
    models = [("model", experiment.model, "training", experiment.training)]
    if experiment.gate.reference is not None:
        models.append(("gate.reference", experiment.gate.reference, *_of_reference(experiment)))
    for key, model, training_key, training in models:
        for loss in training.loss or ():
            yield f"{training_key}.loss", LOSSES, loss.name, loss.options
        yield key, NETWORKS, model.network, model.options
        yield key, SEQUENCE_ENCODERS, model.sequence_encoder, model.sequence_options
        yield key, BOTTOMS, model.bottom, model.bottom_options
        yield key, ARRANGEMENTS, model.arrangement, {}
        if training.method or model.network in NETWORKS:
            method, options = method_of(model, training), training.method_options
            yield f"{training_key}.method", TRAINING_METHODS, method, options


def _of_reference(experiment: Experiment) -> tuple[str, TrainingSettings]:
    """Where the reference's training is set, for messages, and what it is."""
    from pipeline.reference_training import reference_training
    from trainer.networks import NETWORKS

    models = experiment.model, experiment.gate.reference
    if any(model.network not in NETWORKS for model in models):  # which is said elsewhere
        return "training", experiment.reference_training
    own = experiment.gate.reference_training
    key = "gate.reference_training" if {"method", "loss"} & own.keys() else "training"
    return key, reference_training(experiment)


def _parse(text: str, path: str) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    """Returns the values and the line of every key path; refuses a key that stands twice."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ExperimentFileError(f"{path}: no valid YAML: {error}") from error
    if not isinstance(values, Mapping):
        raise ExperimentFileError(f"{path}: an experiment file is a mapping of sections")
    lines: dict[tuple[str, ...], int] = {}
    problems: list[str] = []
    _collect_lines(root, (), lines, problems)
    if problems:
        raise ExperimentFileError("\n".join(f"{path}:{problem}" for problem in problems))
    return dict(values), lines


def _collect_lines(
    node: yaml.Node,
    prefix: tuple[str, ...],
    lines: dict[tuple[str, ...], int],
    problems: list[str],
) -> None:
    """Walks YAML nodes, which know their lines, unlike the loaded values."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                name = ".".join((*prefix, key))
                problems.append(f"{line}: {name}: stands twice; rename or remove one of the two")
            seen.add(key)
            lines[(*prefix, key)] = line
            _collect_lines(value_node, (*prefix, key), lines, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, value_node in enumerate(node.value):
            lines[(*prefix, str(index))] = value_node.start_mark.line + 1
            _collect_lines(value_node, (*prefix, str(index)), lines, problems)


def _with_line(
    path: str, lines: Mapping[tuple[str, ...], int], key: tuple[str, ...], message: str
) -> str:
    """Prefixes a problem with file, line and key path, as far as they are known."""
    place = key
    if not place:
        # A check across sections names the key path in its message.
        found = re.match(r"[\w-]+(\.[\w-]+)*", message)
        place = tuple(found.group().split(".")) if found else ()
    while place and place not in lines:
        place = place[:-1]
    where = f"{path}:{lines[place]}" if place else path
    return f"{where}: {'.'.join(key)}: {message}" if key else f"{where}: {message}"


def _apply_override(values: dict[str, Any], override: str) -> None:
    """Sets one nested value from ``a.b.c=value``."""
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ExperimentFileError(
            f"--set {override}: expected section.key=value, for example training.epochs=3"
        )
    *sections, last = key.split(".")
    place = values
    for section in sections:
        below = place.get(section)
        if below is not None and not isinstance(below, Mapping):
            raise ExperimentFileError(f"--set {override}: {section!r} has no settings below it")
        place[section] = dict(below or {})
        place = place[section]
    place[last] = yaml.safe_load(text)


def _resolve_data_path(values: dict[str, Any], data_root: str | None) -> None:
    """Makes `data.path` absolute: under the data root where it exists there, else from here."""
    data = values.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("path"), str | list):
        return
    paths = [data["path"]] if isinstance(data["path"], str) else list(data["path"])
    values["data"] = {**data, "path": [_resolve(str(entry), data_root) for entry in paths]}


def _resolve(entry: str, data_root: str | None) -> str:
    if "://" in entry or os.path.isabs(entry):
        return entry
    here = os.path.abspath(entry)
    if data_root is None:
        return here
    return os.path.abspath(os.path.join(data_root, entry))
