"""The experiment as it runs on the cluster: `kubeflow.settings` in the places of this machine's."""

import os
from collections.abc import Mapping
from typing import Any

from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.pipeline.experiment.cluster_settings import with_cluster_settings
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.transform.config.settings import SettingsError

_SETTINGS = "kubeflow.settings"


def cluster_experiment(experiment: Experiment) -> Experiment:
    """Applies `kubeflow.settings` and checks that every path can be meant for the cluster.

    Args:
        experiment: the validated experiment file.

    Returns:
        The experiment with the cluster's settings.

    Raises:
        PackageRefused: a setting is wrong, or a path is missing or relative.
    """
    try:
        changed = with_cluster_settings(experiment)
    except SettingsError as error:
        raise PackageRefused(
            [f"{'.'.join(path)}: {text}" for path, text in error.problems]
        ) from error
    problems = _path_problems(changed, experiment.kubeflow.settings)
    if problems:
        raise PackageRefused(problems)
    return changed


def _path_problems(experiment: Experiment, overrides: Mapping[str, Any]) -> list[str]:
    """Paths that the cluster's pods can't mean as they stand."""
    problems = []
    data = experiment.data.path
    if "data.path" not in overrides and not all("://" in path for path in data):
        # The experiment's reader made a relative path absolute: it is this machine's.
        problems.append(
            f"data.path is this machine's: {data[0]}. Say where the logs lie on the cluster: "
            f"{_SETTINGS}: {{data.path: /mnt/logs/...}}, or a URI such as gs://bucket/logs/..."
        )
    served = experiment.data.serving_path or []
    if "data.serving_path" not in overrides and not all("://" in path for path in served):
        problems.append(
            f"data.serving_path is this machine's: {served[0]}. Say where the logs of what was "
            f"served lie on the cluster: {_SETTINGS}: {{data.serving_path: /mnt/serving/...}}, "
            "or a URI; null leaves them out"
        )
    joined = [path for join in experiment.data.join for path in join.path]
    if "data.join" not in overrides and not all("://" in path for path in joined):
        problems.append(
            f"data.join reads this machine's {joined[0]}. Say where its tables lie on the cluster: "
            f"{_SETTINGS}: {{data.join: [...]}}, each with a path below /mnt/..., or a URI"
        )
    if experiment.run.pipeline_root is None:
        problems.append(
            "run.pipeline_root is missing: say which folder or URI all pods share: "
            f"{_SETTINGS}: {{run.pipeline_root: /mnt/pipeline/{experiment.name}}}"
        )
    paths = {"data.path": [] if problems and not overrides.get("data.path") else data}
    paths |= {key: [value] for key, value in _single_paths(experiment).items() if value}
    for key, values in paths.items():
        for value in values:
            if "://" not in value and not os.path.isabs(value):
                problems.append(
                    f"{key} is relative: {value!r}. Pods have no folder to start from: set "
                    f"{_SETTINGS}: {{{key}: ...}} to an absolute path, a URI or null"
                )
    return problems


def _single_paths(experiment: Experiment) -> dict[str, str | None]:
    base = experiment.training.warm_start
    return {
        "run.pipeline_root": experiment.run.pipeline_root,
        "serving.push_to": experiment.serving.push_to,
        "validation.schema_path": experiment.validation.schema_path,
        "gate.given_model": experiment.gate.given_model,
        "training.warm_start": base.folder if base else None,
        "report.best_possible": experiment.report.best_possible,
        "skew.versions_in": experiment.skew.versions_in,
    }
