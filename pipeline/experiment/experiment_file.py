"""Reads an experiment file (YAML) into an `Experiment`; errors name file, line, key and remedy."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlx.pipeline.experiment.cluster_settings import with_cluster_settings
from mtlx.pipeline.experiment.experiment import ANCHORED, BASE_MODEL, Experiment
from mtlx.pipeline.experiment.experiment_yaml import KeyPath, YamlError, parse_yaml, read_text
from mtlx.pipeline.experiment.overrides import OverrideError, parse_override, put
from mtlx.pipeline.experiment.presets import expand_presets
from mtlx.pipeline.experiment.search_settings import flattened
from mtlx.transform.config.settings import SettingsError

#: Environment variable with the folder under which relative data paths are looked up first.
DATA_ROOT_VARIABLE = "MTLX_DATA"


_SECTIONS = ", ".join(Experiment.model_fields)


class ExperimentFileError(ValueError):
    """The experiment file is wrong; the message has one line per problem."""


def read_experiment(
    path: str | Path,
    overrides: Sequence[str] = (),
    data_root: str | None = None,
) -> Experiment:
    """Reads an experiment file and checks it as far as it can be without the models' classes.

    `mtlx.pipeline.experiment.checked_experiment.checked_experiment` checks the rest.

    Args:
        path: the YAML file.
        overrides: ``section.key=value`` settings that replace the file's; values are YAML, and
            an entry of a list is named by its number: ``gate.thresholds.0.minimum=0.7``.
        data_root: folder for relative data paths; `DATA_ROOT_VARIABLE`'s value if None.

    Returns:
        The experiment, with the paths of `data` made absolute. Other relative paths start from the
        file's folder, those of `overrides` from the working directory (`Experiment.anchored`).

    Raises:
        ExperimentFileError: no such file, no YAML, or wrong settings.
    """
    values, lines = _parse(path)
    given: dict[KeyPath, str] = {}
    for override in overrides:
        try:
            key, value = parse_override(override, Experiment.model_fields)
            put(values, key, value)
        except OverrideError as error:
            raise ExperimentFileError(f"--set {_shown(override)}: {error}") from error
        given[key] = override
    if "search" in values:
        values["search"] = flattened(values["search"])
    _resolve_data_path(values, data_root or os.environ.get(DATA_ROOT_VARIABLE))
    try:
        experiment = Experiment.read(expand_presets(values))
        if experiment.kubeflow.settings:
            with_cluster_settings(experiment)
    except SettingsError as error:
        places = _Places(str(path), lines, given)
        raise ExperimentFileError(
            "\n".join(places.described(*problem) for problem in error.problems)
        ) from error
    return experiment.in_folder(os.path.dirname(os.path.abspath(path)), _overridden_paths(given))


def named_place(path: str | Path, overrides: Sequence[str], key: KeyPath, problem: str) -> str:
    """A problem of a setting with its place, in the words of `read_experiment`, which has read it.

    Args:
        path: of the file, as the next one.
        overrides: ``--set`` of the command line.
        key: of the setting.
        problem: what is wrong with it.
    """
    given = {parse_override(one, Experiment.model_fields)[0]: one for one in overrides}
    return _Places(str(path), _parse(path)[1], given).described(key, problem)


def _parse(path: str | Path) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    """Returns the values and the line of every key path."""
    try:
        parsed = parse_yaml(read_text(path))
    except (OSError, ValueError) as error:
        if isinstance(error, YamlError):
            found = [(f":{line}" if line else "", text) for line, text in error.problems]
            text = "\n".join(f"{path}{line}: {text}" for line, text in found)
            raise ExperimentFileError(text) from error
        # ValueError: a path with a NUL in it.
        reason = getattr(error, "strerror", None) or error
        raise ExperimentFileError(
            f"{path}: {reason}. Give the path of an experiment file, "
            "for example configs/default.yaml"
        ) from error
    if parsed.values is None:
        raise ExperimentFileError(f"{path}: is empty; an experiment file has sections: {_SECTIONS}")
    if not isinstance(parsed.values, Mapping):
        raise ExperimentFileError(
            f"{path}:1: an experiment file is a mapping of sections: {_SECTIONS}"
        )
    return dict(parsed.values), parsed.lines


class _Places:
    """Says of a problem where it was written: in which line of the file, or in which ``--set``."""

    def __init__(
        self, path: str, lines: Mapping[KeyPath, int], overrides: Mapping[KeyPath, str]
    ) -> None:
        self._path = path
        self._lines = {_apart(key): line for key, line in lines.items()}
        self._overrides = {_apart(key): override for key, override in overrides.items()}

    def described(self, key: KeyPath, message: str) -> str:
        """A problem with its place and key path, as far as they are known, in one line."""
        text = " ".join(message.split())
        place = _apart(key)
        if not place:
            # A check across sections names the key path in its message.
            found = re.match(r"[\w-]+(\.[\w-]+)*", message)
            place = tuple(found.group().split(".")) if found else ()
        unknown = re.match(r"unknown setting '([^']*)'", message)
        override = self._override((*place, unknown.group(1)) if unknown else place)
        if override is not None:
            where = f"--set {_shown(override)}"
        else:
            while place and place not in self._lines:
                place = place[:-1]
            where = f"{self._path}:{self._lines[place]}" if place else self._path
        return f"{where}: {'.'.join(key)}: {text}" if key else f"{where}: {text}"

    def _override(self, place: KeyPath) -> str | None:
        """The last override that set this place, something above or all that is below."""
        for key, override in reversed(list(self._overrides.items())):
            if place and (place[: len(key)] == key or key[: len(place)] == place):
                return override
        return None


def _apart(key: KeyPath) -> KeyPath:
    """A key path whose steps hold no points: `search` has the whole names of settings as keys."""
    return tuple(".".join(key).split(".")) if key else ()


def _shown(override: str) -> str:
    """An override as it may be printed: the address of a webhook may be a secret."""
    key, equals, _ = override.partition("=")
    return f"{key}{equals}..." if key.strip().split(".")[0] == "notify" else override


def _overridden_paths(overrides: Iterable[KeyPath]) -> set[str]:
    """Settings with paths that come from the command line."""
    return {
        setting
        for setting in (*ANCHORED, BASE_MODEL)
        for key in overrides
        if tuple(setting.split("."))[: len(key)] == key
    }


def _resolve_data_path(values: dict[str, Any], data_root: str | None) -> None:
    """Makes `data.path` absolute: under the data root where it exists there, else from here.

    So it does with `data.serving_path`, and with the paths of `data.join`.
    """
    data = values.get("data")
    if not isinstance(data, Mapping):
        return
    for key in ("path", "serving_path"):
        if not isinstance(data.get(key), str | list):
            continue
        paths = [data[key]] if isinstance(data[key], str) else list(data[key])
        if all(isinstance(entry, str) for entry in paths):  # else the settings say what is wrong
            data = {**data, key: [_resolve(entry, data_root) for entry in paths]}
    joins = data.get("join")
    if isinstance(joins, list) and all(isinstance(join, Mapping) for join in joins):
        resolved: list[Any] = []
        for join in joins:
            own = {"data": {"path": join.get("path")}}
            _resolve_data_path(own, data_root)
            resolved.append({**join, **({"path": own["data"]["path"]} if "path" in join else {})})
        data = {**data, "join": resolved}
    values["data"] = data


def _resolve(entry: str, data_root: str | None) -> str:
    if "://" in entry or os.path.isabs(entry):
        return entry
    here = os.path.abspath(entry)
    if data_root is None:
        return here
    return os.path.abspath(os.path.join(data_root, entry))
