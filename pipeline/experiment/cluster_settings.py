"""What an experiment is on the cluster: `kubeflow.settings` in the places of this machine's."""

import re

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_yaml import KeyPath
from mtlx.pipeline.experiment.overrides import OverrideError, put
from mtlx.pipeline.experiment.presets import expand_presets
from mtlx.transform.config.settings import SettingsError

_SECTION = ("kubeflow", "settings")


def with_cluster_settings(experiment: Experiment) -> Experiment:
    """Applies `kubeflow.settings`, presets among them.

    Args:
        experiment: the experiment as it is here.

    Raises:
        SettingsError: a setting is unknown or wrong; the key paths are those of
            `kubeflow.settings`.
    """
    values = experiment.model_dump(mode="json", exclude_unset=True)
    problems = []
    for key, value in experiment.kubeflow.settings.items():
        try:
            put(values, tuple(key.split(".")), value)
        except OverrideError as error:
            problems.append(((*_SECTION, key), f"{error}; name the whole of it"))
    if problems:
        raise SettingsError(problems)
    try:
        return Experiment.read(expand_presets(values))
    except SettingsError as error:
        raise SettingsError(
            [
                (_place(path, text, experiment), f"{'.'.join(path)}: {text}" if path else text)
                for path, text in error.problems
            ]
        ) from error


def _place(path: KeyPath, text: str, experiment: Experiment) -> KeyPath:
    """The entry of `kubeflow.settings` that a problem is of, or all of them."""
    unknown = re.match(r"unknown setting '([^']*)'", text)
    wanted = (*path, unknown.group(1)) if unknown else path
    keys = {tuple(key.split(".")): key for key in experiment.kubeflow.settings}
    above = [key for given, key in keys.items() if wanted[: len(given)] == given]
    below = [key for given, key in keys.items() if path and given[: len(wanted)] == wanted]
    return (*_SECTION, *(above or below)[:1])
