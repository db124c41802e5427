"""Kubernetes' schemas of every release that the manifests are for; and schemas of ours, after the
references of kinds that others bring."""

import copy
import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from tests.kubeflow.kustomization import build
from tests.kubeflow.manifests.conftest import MANIFESTS

#: Folders with kinds that are not Kubernetes' own.
OTHERS = [
    item
    for folder in ("monitoring", "trainer")
    for item in build(MANIFESTS / folder)
    if not item["apiVersion"].startswith("networking.k8s.io/")
]
SCHEMAS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parent / "schemas").glob("*.json")
}
#: Beside the oldest and 1.32, which test_manifests.py has for each overlay.
RELEASES = ("1.33", "1.34", "1.35", "1.36")


@pytest.mark.parametrize("release", RELEASES)
def test_newer_releases_take_the_manifests(objects, release):
    for item in objects.values():
        kubernetes_validate.validate(item, release, strict=True)


@pytest.mark.parametrize("release", ["1.28", "1.32", *RELEASES])
def test_releases_take_what_is_applied_by_itself(release):
    """The restore, and of the monitoring what is Kubernetes' own."""
    for item in build(MANIFESTS / "restore"):
        kubernetes_validate.validate(item, release, strict=True)
    for item in build(MANIFESTS / "monitoring"):
        if not item["apiVersion"].startswith("monitoring.coreos.com/"):
            kubernetes_validate.validate(item, release, strict=True)


@pytest.mark.parametrize("item", OTHERS, ids=lambda item: item["kind"])
def test_kinds_of_others_have_the_fields_that_those_know(item):
    jsonschema.validate(item, SCHEMAS[item["kind"]])


def test_each_of_those_schemas_is_of_a_kind_there_is_and_takes_no_other_field():
    assert {item["kind"] for item in OTHERS} == set(SCHEMAS)
    for item in OTHERS:
        wrong = copy.deepcopy(item)
        wrong["spec"]["evaluationInterval"] = "30s"
        with pytest.raises(jsonschema.ValidationError, match="evaluationInterval"):
            jsonschema.validate(wrong, SCHEMAS[item["kind"]])


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "half a minute"),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "port"), 8501),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "for"), "10 m"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "severity"), "critical"),
        ("TrainingRuntime", ("spec", "template", "spec", "replicatedJobs", 0, "replicas"), 2),
    ],
)
def test_they_refuse_wrong_values(kind, path, value):
    (wrong,) = [copy.deepcopy(item) for item in OTHERS if item["kind"] == kind]
    *parents, last = path
    place = wrong
    for parent in parents:
        place = place[parent]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMAS[kind])


@pytest.mark.parametrize("release", ["1.32", *RELEASES])
def test_releases_take_the_job_of_the_runtime(release):
    (runtime,) = build(MANIFESTS / "trainer")
    (node,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    job = {"apiVersion": "batch/v1", "kind": "Job", **copy.deepcopy(node["template"])}
    # Trainer puts the image of the TrainJob there.
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "x"
    kubernetes_validate.validate(job, release, strict=True)
