"""The skew guard's task in a package: where it stands, what it is given, what it needs."""

import json

import pytest
import yaml
from tfx.proto.orchestration import pipeline_pb2

from mtlx.kubeflow.package.cluster_experiment import cluster_experiment
from mtlx.kubeflow.package.compiler import compile_package
from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.pipeline.experiment.experiment_file import read_experiment

SKEW = ("data.serving_path=served/{SPAN}/", "skew={scores: {click: p}, version: v}")


def _experiment(folder, on_cluster):
    experiment = read_experiment(folder / "experiment.yaml", SKEW)
    values = experiment.model_dump(mode="json", exclude_unset=True)
    values["kubeflow"]["settings"] |= on_cluster
    values["kubeflow"]["nodes"]["SkewGuard"] = {
        "volumes": [{"claim": "serving", "mount": "/mnt/serving"}]
    }
    return type(experiment).read(values)


def test_it_stands_before_training_and_reads_where_the_cluster_has_its_logs(golden_folder):
    place = {"data.serving_path": "gs://bucket/served/{SPAN}/"}
    compiled = compile_package(_experiment(golden_folder, place))
    package, platform = yaml.safe_load_all(compiled.pipeline_yaml)
    tasks = package["root"]["dag"]["tasks"]
    assert "skew-guard" in tasks["transform"]["dependentTasks"]
    assert "skew-guard" in tasks["report"]["dependentTasks"]
    assert set(tasks["skew-guard"]["dependentTasks"]) >= {"log-example-gen", "statistics-gen"}
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mounts = {one["mountPath"] for one in executors["exec-skew-guard"]["pvcMount"]}
    assert "/mnt/serving" in mounts
    pipeline = pipeline_pb2.Pipeline.FromString(compiled.ir)
    (node,) = [
        one.pipeline_node for one in pipeline.nodes if one.pipeline_node.node_info.id == "SkewGuard"
    ]
    given = {
        name: value.field_value.string_value for name, value in node.parameters.parameters.items()
    }
    assert json.loads(given["serving_path"]) == ["gs://bucket/served/{SPAN}/*"]
    assert (given["versions_in"], given["split"]) == ("gs://bucket/serving", "")


def test_paths_of_this_machine_are_refused(golden_folder):
    with pytest.raises(PackageRefused, match="data.serving_path is this machine's: .*served"):
        cluster_experiment(_experiment(golden_folder, {}))
    place = {"data.serving_path": "gs://bucket/served/{SPAN}/", "skew.versions_in": "var/serving"}
    with pytest.raises(PackageRefused, match="skew.versions_in is relative: 'var/serving'"):
        cluster_experiment(_experiment(golden_folder, place))
    # A cluster without serving logs needs no words on them.
    assert cluster_experiment(_experiment(golden_folder, {"data.serving_path": None}))
