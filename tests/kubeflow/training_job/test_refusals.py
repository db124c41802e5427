"""Every refusal of the cluster's API names the object, and what the role lacks."""

import pytest

from mtlx.kubeflow.training_job.client import ClusterError

NAME = "run-1-trainer"
JOB = {"metadata": {"name": NAME}}

#: Calls by what they are about.
CALLS = {
    "events": (lambda client: client.warnings(NAME), f"events of TFJob {NAME}"),
    "create": (lambda client: client.create(JOB), f"TFJob {NAME}"),
    "get": (lambda client: client.get(NAME), f"TFJob {NAME}"),
    "delete": (lambda client: client.delete(NAME), f"TFJob {NAME}"),
    "pods": (lambda client: client.pods(NAME), f"pods of TFJob {NAME}"),
}


@pytest.fixture
def refused(make_client, cluster, monkeypatch):
    """Makes a call while the API answers with a state; returns the message."""

    def run(name, status, body="no", kind="TFJob"):
        monkeypatch.setattr(cluster, "answer", lambda *request: (status, body))
        with pytest.raises(ClusterError) as caught:
            CALLS[name][0](make_client(patience_seconds=0.05, kind=kind))
        return str(caught.value)

    return run


@pytest.mark.parametrize("status", [401, 403, 410, 429, 500, 503, 504])
@pytest.mark.parametrize("name", CALLS)
def test_the_object_is_named_with_its_namespace(refused, name, status):
    message = refused(name, status)
    assert message.startswith(f"{CALLS[name][1]} in namespace ranking: ")
    assert f"the cluster's API says {status}" in message
    if status in (401, 403):
        assert "create, get and delete on tfjobs (kubeflow.org)" in message
        assert "the role mtlx-training of kubeflow/manifests/base/service_accounts.yaml" in message
    if status == 410:
        assert "It was deleted" in message


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("create", 404, "Is there a namespace ranking (kubeflow.namespace)?"),
        ("pods", 404, "Is there a namespace ranking (kubeflow.namespace)?"),
        ("delete", 409, "Another request changes it"),
        ("get", 409, "Another request changes it"),
    ],
)
def test_states_that_are_answers_to_some_calls_are_refusals_of_others(refused, name, status, words):
    """404 is fine to one who reads or deletes, 409 to one who creates."""
    message = refused(name, status)
    assert message.startswith(f"{CALLS[name][1]} in namespace ranking: ") and words in message


@pytest.mark.parametrize("status", [403, 410, 503])
@pytest.mark.parametrize("name", CALLS)
def test_a_trainjob_is_named_as_one(refused, name, status):
    message = refused(name, status, kind="TrainJob")
    subject = CALLS[name][1].replace("TFJob", "TrainJob")
    assert message.startswith(f"{subject} in namespace ranking: the cluster's API says {status}")
    if status == 403:
        assert "delete on trainjobs and get on trainingruntimes (trainer.kubeflow.org)" in message


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
def test_the_runtime_of_a_trainjob_is_named(make_client, cluster, monkeypatch, status):
    body = "404 page not found\n" if status == 404 else "no"
    monkeypatch.setattr(cluster, "answer", lambda *request: (status, body))
    with pytest.raises(ClusterError) as caught:
        make_client(patience_seconds=0.05, kind="TrainJob").require_runtime()
    message = str(caught.value)
    assert message.startswith("TrainingRuntime mtlx-training in namespace ranking: ")
    assert f"the cluster's API says {status}" in message
    if status in (401, 403):
        assert "delete on trainjobs and get on trainingruntimes (trainer.kubeflow.org)" in message
        assert "the role mtlx-training of kubeflow/manifests/base/service_accounts.yaml" in message
    if status == 404:
        assert "install Kubeflow Trainer, 2.2 or newer" in message


def test_a_rule_of_the_cluster_is_no_missing_role(refused):
    """A webhook's answer is 403, too; to look for roles would be in vain."""
    body = 'admission webhook "validator.example" denied the request: spec.x: Invalid value'
    message = refused("create", 403, body)
    assert "spec.x: Invalid value" in message and "its words say what to change" in message
    assert "role" not in message


def test_a_log_that_may_not_be_read_says_so_and_fails_nothing(client, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "answer", lambda *request: (403, "no"))
    text = client.log_tail("run-1-trainer-worker-0")
    assert "log of pod run-1-trainer-worker-0 in namespace ranking" in text
    assert "pods/log" in text
