"""Writes the best settings as an experiment file, in the words of the one that was searched."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import ANCHORED, Experiment
from mtlx.pipeline.experiment.experiment_yaml import KeyPath, parse_yaml, read_text
from mtlx.pipeline.experiment.overrides import parse_override, put
from mtlx.pipeline.tune.edited_yaml import CannotEdit, edited, yaml_text
from mtlx.pipeline.tune.space import shown
from mtlx.pipeline.tune.tuning_record import TrialRow, TuningRecord

#: In the search's folder.
BEST_FILE = "best.yaml"
#: What trials had none of: a base model, and what of its analysis would be kept.
_OF_THE_BASE_MODEL = (("training", "warm_start"), ("transform", "reuse"))


def best_file(path: str, given: Sequence[str], best: TrialRow, record: TuningRecord) -> str:
    """The text of an experiment file with the settings of a trial.

    It keeps the text of the searched file, comments included, but for the settings that change.
    Relative paths become absolute, since it lies elsewhere; so does the pipeline root, so that runs
    of it find the history of the experiment. A warm start is left out, as trials had none: what was
    measured is a training from random weights on an analysis of its own, and a base model need not
    fit the settings. `transform.reuse`, which cannot be without one, goes with it.

    Args:
        path: of the searched file.
        given: ``--set`` of the search.
        best: the trial.
        record: of the search.
    """
    text = read_text(path)
    values: dict[str, Any] = dict(parse_yaml(text).values)
    folder = os.path.dirname(os.path.abspath(path))
    changes = _anchored(values, folder)
    for override in given:
        key, value = parse_override(override, Experiment.model_fields)
        changes[key] = _from_here(key, value)
    changes |= {tuple(name.split(".")): best.settings[name] for name in sorted(best.settings)}
    for key, value in changes.items():
        put(values, key, value)
    began = {key: _value(values, key) for key in _OF_THE_BASE_MODEL}
    began = {key: value for key, value in began.items() if value is not None}
    for key in began:
        changes[key] = None
        put(values, key, None)
    notes = [
        f"The settings of trial {best.number} of {len(record.trials)} of a search in {path}:",
        f"{record.objective} {best.value:.5f} on the validation split, "
        + ", ".join(f"{name} {shown(value)}" for name, value in best.settings.items()),
    ]
    if began:
        was = (f"{'.'.join(key)} was {yaml_text(value)}" for key, value in began.items())
        notes.append(f"Trials began with random weights, and so does this: {', '.join(was)}.")
    try:
        body = text
        for key, value in changes.items():
            body = edited(body, key, value)
        if parse_yaml(body).values != values:
            raise CannotEdit("it would say something else")
    except (CannotEdit, yaml.YAMLError, ValueError):
        body = yaml_text(values, flow=False)
        notes.append("Comments of that file could not be kept.")
    return "".join(f"# {' '.join(note.split())}\n" for note in notes) + body


def _anchored(values: Mapping[str, Any], folder: str) -> dict[KeyPath, Any]:
    """The paths of a file that start from its folder, as absolute ones."""
    found: dict[KeyPath, Any] = {}
    for setting in ANCHORED:
        key = tuple(setting.split("."))
        value = _value(values, key)
        if isinstance(value, str) and absolute(value, folder) != value:
            found[key] = absolute(value, folder)
    root = ("run", "pipeline_root")
    if _value(values, root) is None:
        found[root] = absolute(f"var/pipelines/{values['name']}", folder)
    features = values.get("features")
    for name in features if isinstance(features, Mapping) else ():
        key = ("features", name, "pretrained", "path")
        value = _value(values, key)
        if isinstance(value, str):
            found[key] = absolute(value, folder)
    return found


def _from_here(key: KeyPath, value: Any) -> Any:
    """A value of ``--set``: the paths there start from the working directory."""
    if ".".join(key) in ANCHORED and isinstance(value, str):
        return absolute(value)
    if isinstance(value, Mapping):
        return {inner: _from_here((*key, inner), one) for inner, one in value.items()}
    return value


def _value(values: Mapping[str, Any], key: KeyPath) -> Any:
    place: Any = values
    for step in key:
        place = place.get(step) if isinstance(place, Mapping) else None
    return place
