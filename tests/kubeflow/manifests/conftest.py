"""The manifests as kustomize builds them."""

import shutil
from pathlib import Path

import pytest

from tests.kubeflow.kustomization import build

MANIFESTS = Path(__file__).parents[3] / "kubeflow/manifests"


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    """Objects of the example with Flink, by kind and name."""
    folder = tmp_path_factory.mktemp("installation") / "manifests"
    shutil.copytree(MANIFESTS, folder)
    example = folder / "overlays/example"
    shutil.copy(example / "mysql.env.example", example / "mysql.env")
    built = build(folder / "overlays/flink")
    return {(item["kind"], item["metadata"]["name"]): item for item in built}
