"""The cluster's settings in the places of this machine's, and paths that only one can mean."""

from pathlib import Path

import pytest

from mtlx.kubeflow.package.cluster_experiment import cluster_experiment
from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.pipeline.experiment.experiment_file import read_experiment

CONFIGS = Path(__file__).parents[3] / "configs"


def _changed(experiment, **settings):
    """The experiment with other `kubeflow.settings`; None takes one out."""
    values = experiment.model_dump(mode="json", exclude_unset=True)
    merged = {**values["kubeflow"]["settings"], **settings.pop("put", {})}
    for key in settings.pop("out", ()):
        merged.pop(key)
    values["kubeflow"]["settings"] = merged
    return type(experiment).read(values)


def test_settings_take_the_places_of_this_machines(small_experiment):
    cluster = cluster_experiment(small_experiment)
    assert cluster.data.path == ["gs://bucket/logs/{SPAN}/"]
    assert cluster.run.pipeline_root == "gs://bucket/pipelines/small"
    assert cluster.report.best_possible is None
    assert cluster.model == small_experiment.model
    assert cluster.gate.thresholds == small_experiment.gate.thresholds


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_else_changes(path):
    experiment = read_experiment(path)
    values = experiment.model_dump(mode="json", exclude_unset=True)
    logs = "/mnt/day={SPAN}/x.csv" if experiment.data.window else "/mnt/x.csv"
    settings = {"data.path": logs, "run.pipeline_root": "/mnt/root"}
    settings |= {"serving.push_to": "/mnt/serving", "report.best_possible": None}
    if experiment.data.join:
        moved = [{**join.model_dump(), "path": ["/mnt/t.csv"]} for join in experiment.data.join]
        settings["data.join"] = moved
    values["kubeflow"] = {"settings": settings}
    cluster = cluster_experiment(type(experiment).read(values))
    for name in ("features", "tasks", "model", "training", "evaluation", "gate", "components"):
        assert getattr(cluster, name) == getattr(experiment, name), name
    assert cluster.data.split == experiment.data.split


def test_default_experiment_has_a_cluster():
    cluster = cluster_experiment(read_experiment(CONFIGS / "default.yaml"))
    assert cluster.data.path == ["/mnt/logs/day=*/*.csv"]
    assert cluster.kubeflow.image is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"out": ["data.path"]}, "data.path is this machine's: .*logs.*kubeflow.settings"),
        ({"out": ["run.pipeline_root"]}, "run.pipeline_root is missing: .*kubeflow.settings"),
        ({"out": ["serving.push_to"]}, "serving.push_to is relative: 'var/serving'"),
        ({"out": ["report.best_possible"]}, "report.best_possible is relative"),
        ({"put": {"data.path": "logs/x.csv", "data.span": None}}, "data.path is relative"),
        ({"put": {"gate.given_model": "models/1"}}, "gate.given_model is relative"),
        ({"put": {"training.warm_start": "models/1"}}, "training.warm_start is relative"),
        (
            {"put": {"data.pth": "/x"}},
            "kubeflow.settings.data.pth: data: unknown setting 'pth'.*'path'",
        ),
        ({"put": {"training.epochs": "many"}}, "kubeflow.settings.training.epochs: .*'many'"),
        ({"put": {"name.x": 1}}, "kubeflow.settings.name.x: 'name' has no settings below it"),
    ],
)
def test_what_the_cluster_cannot_mean_is_refused(small_experiment, change, message):
    with pytest.raises(PackageRefused, match=message):
        cluster_experiment(_changed(small_experiment, **change))


def test_every_problem_is_listed(small_experiment):
    with pytest.raises(PackageRefused) as caught:
        cluster_experiment(_changed(small_experiment, out=["data.path", "run.pipeline_root"]))
    assert len(caught.value.problems) == 2
