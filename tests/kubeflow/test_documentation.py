"""docs/kubeflow.md beside what it describes."""

import re
from pathlib import Path

import pytest
import yaml

from mtlx.pipeline.experiment.kubeflow_settings import (
    KubeflowSettings,
    MetadataServer,
    NodeSettings,
    Secret,
    Toleration,
    Volume,
)

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/kubeflow.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S)]


@pytest.mark.parametrize(
    "settings", [KubeflowSettings, NodeSettings, MetadataServer, Secret, Toleration, Volume]
)
def test_every_setting_is_explained(settings):
    explained = set(re.findall(r"`(\w+)`", TEXT))
    assert set(settings.model_fields) <= explained


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid(example):
    section = KubeflowSettings.read(example["kubeflow"])
    for name in section.nodes:
        section.node(name)


def test_the_first_example_has_every_setting():
    example = EXAMPLES[0]["kubeflow"]
    assert set(example) == set(KubeflowSettings.model_fields)
    # Several workers stand in a section of their own.
    node = {**example["defaults"], **example["nodes"]["Trainer"]}
    assert set(NodeSettings.model_fields) - set(node) == {"volumes", "secrets", "workers"}


def test_defaults_are_those_of_the_code():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", TEXT, re.M))
    section, node = KubeflowSettings(), NodeSettings()
    for name in ("image_pull_policy", "service_account", "namespace"):
        assert rows[name] == getattr(section, name)
    for name in ("shared_memory", "workers"):
        assert rows[name] == str(getattr(node, name))
    for text in (
        f"| `cpu`, `cpu_limit` | {node.cpu}, none |",
        f"| `memory`, `memory_limit` | {node.memory}, as `memory` |",
        f"| `gpu`, `gpu_type` | {node.gpu}, {node.gpu_type} |",
        f"| `retries`, `retry_seconds` | {node.retries}, {node.retry_seconds} |",
        f"| `metadata` | {section.metadata.host}, {section.metadata.port} |",
    ):
        assert text in TEXT


def versions():
    """Versions of the images in the manifests, by the image's name."""
    found = {}
    for path in (ROOT / "kubeflow/manifests").rglob("*.yaml"):
        for name, tag in re.findall(r"image: (\S+):(\S+)", path.read_text(encoding="utf-8")):
            found[name] = tag
    return found


def test_versions_are_those_of_the_manifests_and_the_lock():
    images = versions()
    for image, name in (
        ("gcr.io/tfx-oss-public/ml_metadata_store_server", "ML-Metadata server"),
        ("docker.io/library/mysql", "MySQL"),
        ("docker.io/tensorflow/serving", "TensorFlow Serving"),
    ):
        assert f"| {name} | {images[image]}" in TEXT
    assert f"docker.io/tensorflow/serving:{images['docker.io/tensorflow/serving']}" in TEXT
    lock = dict(
        line.split(" ;")[0].split("==")
        for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    )
    assert f"kfp {lock['kfp']}, kfp-kubernetes {lock['kfp-kubernetes']}" in TEXT
    assert f"| {lock['apache-beam']}, {images['docker.io/library/flink']} |" in TEXT
    for image in re.findall(r"apache/beam\S+:([\d.]+)", TEXT):
        assert image == lock["apache-beam"]
    assert images["docker.io/apache/beam_flink1.20_job_server"] == lock["apache-beam"]


def test_files_and_objects_that_are_named_exist():
    manifests = "".join(p.read_text() for p in (ROOT / "kubeflow/manifests").rglob("*.yaml"))
    for name in set(re.findall(r"`(mtlx-[a-z-]+)`", TEXT)):
        assert name in manifests, name
    for path in set(re.findall(r"kubeflow/(?:manifests|Dockerfile|requirements)[\w/.-]*", TEXT)):
        if "mine" not in path:
            assert (ROOT / path).exists(), path


def test_beam_knows_the_flags():
    from apache_beam.options.pipeline_options import PipelineOptions

    #: Flink's job server tells Beam about this one when a job is submitted.
    described = {"parallelism"}
    checked = []
    for example in EXAMPLES:
        flags = example["kubeflow"].get("settings", {}).get("run.beam_pipeline_args", [])
        names = {flag.lstrip("-").split("=")[0] for flag in flags}
        known = set(PipelineOptions(flags).get_all_options(drop_default=True))
        assert names - known <= described
        checked += names
    assert {"direct_running_mode", "environment_config", "sdk_container_image"} <= set(checked)
