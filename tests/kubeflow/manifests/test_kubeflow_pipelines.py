"""What Kubeflow Pipelines itself should be told, and what its launchers may do in our pods."""

import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from mtlx.kubeflow.rehearsal.retry_policy import RetryPolicy

MANIFESTS = Path(__file__).parents[3] / "kubeflow/manifests"
OURS = MANIFESTS / "kubeflow-pipelines"

#: The API server's deployment, as far as Kubernetes asks for it; of names as in the manifests of
#: release 2.17.
API_SERVER = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "ml-pipeline"},
}


def _read(name):
    return yaml.safe_load((OURS / name).read_text(encoding="utf-8"))


def test_both_ways_set_the_same_policy_with_a_limit():
    """Without a limit Argo repeats what has none of its own for ever."""
    patch = _read("retry_policy.yaml")
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    (variable,) = container["env"]
    assert container["name"] == "ml-pipeline-api-server"
    assert variable["name"] == "COMPILED_PIPELINE_SPEC_PATCH"
    by_patch = json.loads(variable["value"])
    assert by_patch == _read("workflow_defaults.yaml")["spec"]
    strategy = by_patch["templateDefaults"]["retryStrategy"]
    assert RetryPolicy(strategy["retryPolicy"]) is RetryPolicy.ALWAYS
    assert strategy["limit"] == "2"


def test_the_patch_is_of_a_deployment():
    deployment = API_SERVER | _read("retry_policy.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["image"] = "x"
    deployment["spec"] |= {"selector": {"matchLabels": {"app": "x"}}}
    kubernetes_validate.validate(deployment, "1.32", strict=True)


@pytest.mark.parametrize("name", ["retry_policy.yaml", "workflow_defaults.yaml"])
def test_the_documentation_names_the_files(name):
    docs = (MANIFESTS.parents[1] / "docs/kubeflow.md").read_text(encoding="utf-8")
    assert f"kubeflow/manifests/kubeflow-pipelines/{name}" in docs


def test_tasks_may_do_what_both_launchers_do():
    """The one that records in ML-Metadata, and its successor, which asks the API server."""
    text = (MANIFESTS / "base/service_accounts.yaml").read_text(encoding="utf-8")
    roles = {
        item["metadata"]["name"]: item["rules"]
        for item in yaml.safe_load_all(text)
        if item["kind"] == "Role"
    }
    rules = {
        (group, resource): rule["verbs"]
        for rule in roles["mtlx-kubeflow-task"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert rules == {
        ("argoproj.io", "workflowtaskresults"): ["create", "patch"],
        ("", "configmaps"): ["get"],
        ("", "secrets"): ["get"],
        ("pipelines.kubeflow.org", "runs"): ["get", "list", "update"],
        ("pipelines.kubeflow.org", "artifacts"): ["get", "list", "create"],
    }
