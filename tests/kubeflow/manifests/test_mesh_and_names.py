"""What a mesh, a cluster's name servers and its security standard ask of our pods."""

import pytest
import yaml

from tests.kubeflow.kustomization import WORKLOADS, build, pod_template
from tests.kubeflow.manifests.conftest import MANIFESTS


@pytest.fixture(scope="module")
def templates(objects):
    found = [item for (kind, _), item in objects.items() if kind in WORKLOADS]
    found += build(MANIFESTS / "restore")
    return {item["metadata"]["name"]: pod_template(item) for item in found}


def test_no_pod_gets_a_sidecar(templates):
    """Pods of runs have none: servers with one would refuse them, jobs with one never end."""
    assert {"mtlx-metadata", "mtlx-mysql", "mtlx-serving", "mtlx-recurring-run", "mtlx-cleaning",
            "mtlx-mysql-backup", "mtlx-mysql-restore", "mtlx-volume-preparation"} < set(templates)  # fmt: skip
    for name, template in templates.items():
        assert template["metadata"]["labels"].get("sidecar.istio.io/inject") == "false", name


@pytest.mark.parametrize(
    ("where", "port"), [("kube-system", 53), ("openshift-dns", 5353), ("the node itself", 53)]
)
def test_metadata_finds_names_wherever_the_cluster_looks_them_up(objects, where, port):
    rules = objects["NetworkPolicy", "mtlx-metadata"]["spec"]["egress"]
    peer = {"ipBlock": {"cidr": "169.254.0.0/16"}} if "node" in where else {"namespaceSelector": {}}
    for protocol in ("UDP", "TCP"):
        assert any(
            peer in rule["to"] and {"port": port, "protocol": protocol} in rule["ports"]
            for rule in rules
        )


def test_the_restore_is_restricted_as_the_rest_is(templates):
    shared = templates["mtlx-mysql-restore"]["spec"]
    own = shared["containers"][0]["securityContext"]
    assert shared["securityContext"]["runAsNonRoot"]
    assert shared["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_cron_job_starts_no_run_beside_another(objects):
    job = objects["CronJob", "mtlx-recurring-run"]
    (container,) = pod_template(job)["spec"]["containers"]
    assert container["command"][:2] == ["mtlx", "submit"]
    assert "--unless-running" in container["command"]
    assert yaml.safe_dump(job)
