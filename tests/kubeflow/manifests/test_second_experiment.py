"""Further experiments have servers of their own, made of the same files."""

import re
import shutil
import subprocess

import pytest
import yaml

from tests.kubeflow.kustomization import build, pod, pod_template
from tests.kubeflow.manifests.conftest import MANIFESTS

OVERLAY = MANIFESTS / "overlays/second-experiment"


@pytest.fixture(scope="module")
def second():
    return {item["kind"]: item for item in build(OVERLAY)}


def test_every_object_of_the_server_is_there_once_more(objects, second):
    names = {item["metadata"]["name"] for item in second.values()}
    assert names == {"mtlx-serving-second"}
    first = {kind for kind, name in objects if name == "mtlx-serving"} - {"NetworkPolicy", "PersistentVolumeClaim"}  # fmt: skip
    assert set(second) == first


def test_the_parts_of_each_server_find_each_other_and_no_others(objects, second):
    servers = {"": {kind: objects[kind, "mtlx-serving"] for kind in second}, "-second": second}
    labels = {suffix: pod_template(s["Deployment"])["metadata"]["labels"] for suffix, s in servers.items()}  # fmt: skip
    for suffix, server in servers.items():
        assert server["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == f"mtlx-serving{suffix}"  # fmt: skip
        (volume,) = [v for v in pod(server["Deployment"])["volumes"] if "configMap" in v]
        assert volume["configMap"]["name"] == f"mtlx-serving{suffix}"
        selectors = [server["Service"]["spec"]["selector"]]
        selectors += [
            server[kind]["spec"]["selector"]["matchLabels"]
            for kind in ("Deployment", "PodDisruptionBudget")
        ]
        for selector in selectors:
            for other, found in labels.items():
                assert (selector.items() <= found.items()) is (other == suffix), (suffix, other)


def test_each_serves_its_own_folder_of_the_one_volume(objects, second):
    configs = [objects["ConfigMap", "mtlx-serving"], second["ConfigMap"]]
    folders = [re.search('base_path: "(.*?)"', c["data"]["models.config"])[1] for c in configs]
    assert folders == ["/mnt/serving/mtlx", "/mnt/serving/second"]
    claims = [v["persistentVolumeClaim"]["claimName"] for v in pod(second["Deployment"])["volumes"]
              if "persistentVolumeClaim" in v]  # fmt: skip
    assert claims == ["mtlx-serving"]
    # The policy of the base chooses the pods of all.
    chosen = objects["NetworkPolicy", "mtlx-serving"]["spec"]["podSelector"]["matchLabels"]
    labels = pod_template(second["Deployment"])["metadata"]["labels"]
    assert chosen.items() <= labels.items()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl has the real kustomize")
def test_kustomize_builds_the_same(second):
    command = ["kubectl", "kustomize", str(OVERLAY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {item["kind"]: item for item in yaml.safe_load_all(done.stdout)} == second
