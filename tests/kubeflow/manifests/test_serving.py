"""TensorFlow Serving: its settings by its own messages, autoscaling, what Prometheus reads."""

import re

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.kubeflow.kustomization import build, containers, pod, pod_template
from tests.kubeflow.manifests.conftest import MANIFESTS

TEXT = (MANIFESTS.parents[1] / "docs/kubeflow.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def settings(objects):
    return objects["ConfigMap", "mtlx-serving"]["data"]


@pytest.fixture(scope="module")
def deployment(objects):
    return objects["Deployment", "mtlx-serving"]


@pytest.fixture(scope="module")
def flags(deployment):
    (container,) = containers(deployment)
    return dict(argument.removeprefix("--").split("=") for argument in container["args"])


def _models(text):
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    return list(config.model_config_list.config)


def test_the_newest_version_is_served_by_a_file_that_is_read_again(settings, flags, deployment):
    (model,) = _models(settings["models.config"])
    assert (model.name, model.model_platform) == ("mtlx", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 1
    assert int(flags["model_config_file_poll_wait_seconds"]) > 0
    mounts = {
        mount["name"]: mount["mountPath"] for mount in containers(deployment)[0]["volumeMounts"]
    }
    (volume,) = [one for one in pod(deployment)["volumes"] if "configMap" in one]
    for flag in ("model_config_file", "monitoring_config_file"):
        folder, _, key = flags[flag].rpartition("/")
        assert folder == mounts[volume["name"]] and key in settings


def test_a_canary_of_the_documentation_is_one_to_the_server(flags):
    """Both versions are loaded, each with a label, and labels may wait for their version."""
    (text,) = re.findall(r"```\n(model_config_list \{.*?)```", TEXT, re.S)
    (model,) = _models(text)
    versions = set(model.model_version_policy.specific.versions)
    assert set(model.version_labels) == {"stable", "canary"}
    assert len(versions) == 2 and set(model.version_labels.values()) == versions
    assert flags["allow_version_labels_for_unavailable_models"] == "true"


def test_warm_up_is_on_and_threads_are_bounded(flags):
    assert flags["enable_model_warmup"] == "true"
    for name in ("tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism"):
        assert 1 <= int(flags[name]) <= 4
    assert int(flags["rest_api_num_threads"]) > 0


def test_batching_is_off_until_it_is_asked_for_with_its_file(settings, flags):
    """The server refuses the file without the switch; the documentation has both."""
    assert "enable_batching" not in flags and "batching_parameters_file" not in flags
    for flag in (
        "--enable_batching=true",
        "--batching_parameters_file=/etc/mtlx-serving/batching.config",
    ):
        assert flag in TEXT
    assert re.fullmatch(
        r"(\w+ (\{ value: \d+ \}|true)\n)+", settings["batching.config"].replace(": true", " true")
    )


def test_the_autoscaler_has_the_deployment_to_itself(objects, deployment):
    scaler = objects["HorizontalPodAutoscaler", "mtlx-serving"]["spec"]
    target = scaler["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    assert target["apiVersion"] == deployment["apiVersion"]
    # A number there would be set again by every apply.
    assert "replicas" not in deployment["spec"]
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    # A share of what is asked for: without a request there is none.
    assert "cpu" in containers(deployment)[0]["resources"]["requests"]


def test_prometheus_reads_what_the_server_writes(settings, deployment):
    path = re.search(r'path: "(.*?)"', settings["monitoring.config"]).group(1)
    ports = {port["name"]: port["containerPort"] for port in containers(deployment)[0]["ports"]}
    annotations = pod_template(deployment)["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == path
    assert int(annotations["prometheus.io/port"]) == ports["rest"]
    monitor, policy, _ = build(MANIFESTS / "monitoring")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["path"], endpoint["port"]) == (path, "rest")
    labels = pod_template(deployment)["metadata"]["labels"]
    for selector in (monitor["spec"]["selector"], policy["spec"]["podSelector"]):
        assert selector["matchLabels"].items() <= labels.items()
    (rule,) = policy["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [ports["rest"]]


def test_alerts_speak_of_what_there_is(objects, settings):
    (rules,) = [o for o in build(MANIFESTS / "monitoring") if o["kind"] == "PrometheusRule"]
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"]]
    assert len({alert["alert"] for alert in alerts}) == len(alerts) >= 6
    names = {name for _, name in objects}
    (model,) = _models(settings["models.config"])
    for alert in alerts:
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert alert["annotations"]["summary"] and alert["expr"].count("(") == alert["expr"].count(
            ")"
        )
        for name in re.findall(r'model_name="(.*?)"', alert["expr"]):
            assert name == model.name
        for label, name in re.findall(r'(deployment|cronjob)="(.*?)"', alert["expr"]):
            assert name in names, label
        for choices in re.findall(r'job_name=~"mtlx-\((.*?)\)-', alert["expr"]):
            assert {("CronJob", f"mtlx-{name}") for name in choices.split("|")} <= set(objects)
    assert yaml.safe_load(yaml.safe_dump(alerts)) == alerts
