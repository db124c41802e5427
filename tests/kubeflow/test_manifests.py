"""The manifests, built as kustomize builds them: Kubernetes' schemas and what holds among them."""

import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from mtlx.kubeflow.commands import COMMANDS as kubeflow_commands
from mtlx.pipeline.command_line import COMMANDS as pipeline_commands
from mtlx.pipeline.command_line import make_parser
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings
from mtlx.pipeline.run.workplace import Workplace
from tests.kubeflow.kustomization import WORKLOADS, build, containers, pod, pod_template

MANIFESTS = Path(__file__).parents[2] / "kubeflow/manifests"
OVERLAYS = ("example", "flink")
#: Oldest and newest Kubernetes that the manifests are written for.
KUBERNETES = ("1.28", "1.32")
#: What Kubeflow Pipelines puts on the pods of a run.
TASK_LABELS = {"pipelines.kubeflow.org/v2_component": "true"}
#: Objects that are not ours: Kubeflow Pipelines brings them.
OTHERS = {("Secret", "mlpipeline-minio-artifact"), ("ConfigMap", "kfp-launcher")}


def matches(selector, labels):
    assert set(selector) <= {"matchLabels"}, selector
    return selector.get("matchLabels", {}).items() <= labels.items()


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    """A copy of the manifests with the passwords that an installation puts beside them."""
    folder = tmp_path_factory.mktemp("installation") / "manifests"
    shutil.copytree(MANIFESTS, folder)
    example = folder / "overlays/example"
    text = (example / "mysql.env.example").read_text(encoding="utf-8")
    (example / "mysql.env").write_text(text.replace("password=\n", "password=for this test\n"))
    return folder


@pytest.fixture(scope="module")
def built(manifests):
    """Objects by overlay."""
    return {overlay: build(manifests / "overlays" / overlay) for overlay in OVERLAYS}


@pytest.fixture(params=OVERLAYS)
def objects(request, built):
    return built[request.param]


@pytest.fixture
def workloads(objects):
    return [item for item in objects if item["kind"] in WORKLOADS]


def of_kind(objects, kind):
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_schemas_hold_strictly(objects, version):
    for item in objects:
        kubernetes_validate.validate(item, version, strict=True)


def test_the_strict_schemas_refuse_what_is_wrong(built):
    service = yaml.safe_load(yaml.safe_dump(of_kind(built["example"], "Service")["mtlx-metadata"]))
    service["spec"]["prots"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, KUBERNETES[-1], strict=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl has the real kustomize")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_builds_the_same(manifests, built, overlay):
    command = ["kubectl", "kustomize", str(manifests / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    def keyed(objects):
        return {(item["kind"], item["metadata"]["name"]): item for item in objects}

    assert keyed(yaml.safe_load_all(done.stdout)) == keyed(built[overlay])


def test_without_passwords_nothing_is_built():
    """A placeholder is never installed: the overlay's file of passwords is not in the repository."""
    with pytest.raises(FileNotFoundError, match="mysql.env"):
        build(MANIFESTS / "overlays/example")


def test_no_secret_is_in_the_repository():
    for path in MANIFESTS.rglob("*.yaml"):
        for item in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert item.get("kind") != "Secret", path
    lines = (MANIFESTS / "overlays/example/mysql.env.example").read_text().splitlines()
    assert [line for line in lines if "password" in line and "=" in line and line[-1] != "="] == []


def test_every_object_is_named_once(objects):
    names = [(item["kind"], item["metadata"]["name"]) for item in objects]
    assert len(names) == len(set(names))
    assert {item["metadata"]["namespace"] for item in objects} == {"kubeflow"}


def test_the_base_names_no_namespace():
    for folder in ("base", "flink"):
        assert all("namespace" not in item["metadata"] for item in build(MANIFESTS / folder))


def test_selectors_match_the_pods(workloads, objects):
    for item in workloads:
        if "selector" in item["spec"]:
            assert matches(item["spec"]["selector"], pod_template(item)["metadata"]["labels"])
    templates = [pod_template(item)["metadata"]["labels"] for item in workloads]
    for budget in of_kind(objects, "PodDisruptionBudget").values():
        assert sum(matches(budget["spec"]["selector"], labels) for labels in templates) == 1


def test_services_target_ports_that_exist(workloads, objects):
    for name, service in of_kind(objects, "Service").items():
        chosen = [
            item
            for item in workloads
            if service["spec"]["selector"].items()
            <= pod_template(item)["metadata"]["labels"].items()
        ]
        assert [item["metadata"]["name"] for item in chosen] == [name]
        ports = {
            port["name"]: port["containerPort"]
            for container in containers(chosen[0])
            for port in container["ports"]
        }
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]


def test_probes_name_ports_that_exist(workloads):
    probed = 0
    for container in (c for item in workloads for c in containers(item)):
        names = {port["name"] for port in container.get("ports", [])}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind, {})
            for way in ("tcpSocket", "httpGet"):
                if way in probe:
                    probed += 1
                    assert probe[way]["port"] in names
    assert probed > 5


def test_servers_have_probes(workloads):
    for item in workloads:
        for container in containers(item):
            if item["kind"] in ("Deployment", "StatefulSet"):
                assert "readinessProbe" in container, container["name"]


def test_volumes_and_their_sources_exist(workloads, objects):
    for item in workloads:
        templates = item["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"]: volume for volume in pod(item).get("volumes", [])}
        names = {*volumes, *(claim["metadata"]["name"] for claim in templates)}
        mounted = {m["name"] for c in containers(item) for m in c.get("volumeMounts", [])}
        assert mounted == names, item["metadata"]["name"]
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert claim in of_kind(objects, "PersistentVolumeClaim")
            if "configMap" in volume:
                assert volume["configMap"]["name"] in of_kind(objects, "ConfigMap")
            if "secret" in volume:
                data = of_kind(objects, "Secret")[volume["secret"]["secretName"]]["data"]
                assert {entry["key"] for entry in volume["secret"]["items"]} <= set(data)


def test_secrets_of_the_environment_exist_and_are_not_empty(workloads, objects):
    found = set()
    for container in (c for item in workloads for c in containers(item)):
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                found.add(reference["key"])
                assert of_kind(objects, "Secret")[reference["name"]]["data"][reference["key"]]
    assert found == {"user", "password"}


def test_arguments_use_variables_that_exist(workloads):
    (server,) = containers(next(w for w in workloads if w["metadata"]["name"] == "mtlx-metadata"))
    names = {variable["name"] for variable in server["env"]}
    used = {a.split("$(")[1].rstrip(")") for a in server["args"] if "$(" in a}
    assert used == names


def test_service_accounts_exist(workloads, objects):
    accounts = of_kind(objects, "ServiceAccount")
    assert KubeflowSettings().service_account in accounts
    for item in workloads:
        name = pod(item).get("serviceAccountName")
        assert name in accounts or pod(item)["automountServiceAccountToken"] is False
    for binding in of_kind(objects, "RoleBinding").values():
        assert binding["roleRef"]["name"] in of_kind(objects, "Role")
        assert {subject["name"] for subject in binding["subjects"]} <= set(accounts)


def test_roles_give_no_more_than_is_needed(objects):
    rules = {
        name: {
            (group, resource): set(rule["verbs"])
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
        }
        for name, role in of_kind(objects, "Role").items()
    }
    assert rules["mtlx-training"] == {
        ("kubeflow.org", "tfjobs"): {"create", "get", "list", "watch", "delete"},
        ("trainer.kubeflow.org", "trainjobs"): {"create", "get", "list", "watch", "delete"},
        ("trainer.kubeflow.org", "trainingruntimes"): {"get"},
        ("", "events"): {"list"},
        ("", "pods"): {"get", "list"},
        ("", "pods/log"): {"get"},
    }
    assert set(rules) == {"mtlx-training", "mtlx-kubeflow-task", "mtlx-submit"}
    for role in of_kind(objects, "Role").values():
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            for resource in {"secrets", "configmaps"} & set(rule["resources"]):
                kind = {"secrets": "Secret", "configmaps": "ConfigMap"}[resource]
                assert {(kind, name) for name in rule["resourceNames"]} <= OTHERS
    assert not of_kind(objects, "ClusterRole") and not of_kind(objects, "ClusterRoleBinding")


def test_recurring_submissions_end(workloads):
    """With concurrencyPolicy Forbid, one that hangs would be the last one."""
    for item in workloads:
        if item["kind"] == "CronJob":
            assert item["spec"]["concurrencyPolicy"] == "Forbid"
            assert 0 < item["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] <= 3600


def test_pods_are_restricted(workloads):
    """Kubernetes' restricted pod security standard, a read-only root, and resources."""
    for item in workloads:
        shared = pod(item)["securityContext"]
        assert shared["runAsNonRoot"] and shared["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(item):
            own = container["securityContext"]
            assert {**shared, **own}["runAsUser"] >= 999
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own["readOnlyRootFilesystem"] is True
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


def test_images_are_pinned(workloads):
    for container in (c for item in workloads for c in containers(item)):
        name, _, tag = container["image"].rpartition(":")
        assert "/" in name and "/" not in tag and tag != "latest", container["image"]


#: Who calls whom, at which port. Any pod of the namespace may call serving: the submission's
#: stands for all.
CONNECTIONS = [
    ("task", "mtlx-metadata", 8080),
    ("mtlx-cleaning", "mtlx-metadata", 8080),
    ("mtlx-metadata", "mtlx-mysql", 3306),
    ("mtlx-mysql-backup", "mtlx-mysql", 3306),
    ("mtlx-recurring-run", "mtlx-serving", 8501),
    ("mtlx-recurring-run", "mtlx-serving", 8500),
]
FLINK_CONNECTIONS = [
    ("task", "mtlx-beam-job-server", 8099),
    ("task", "mtlx-beam-job-server", 8098),
    ("mtlx-beam-job-server", "mtlx-flink-jobmanager", 8081),
    ("mtlx-flink-taskmanager", "mtlx-flink-jobmanager", 6123),
    ("mtlx-flink-taskmanager", "mtlx-flink-jobmanager", 6124),
    ("mtlx-flink-jobmanager", "mtlx-flink-taskmanager", 6122),
    ("mtlx-flink-taskmanager", "mtlx-flink-taskmanager", 6121),
]
REFUSED = [
    ("task", "mtlx-mysql", 3306),
    ("mtlx-serving", "mtlx-mysql", 3306),
    ("mtlx-serving", "mtlx-metadata", 8080),
    ("mtlx-recurring-run", "mtlx-metadata", 8080),
    ("mtlx-mysql", "mtlx-metadata", 8080),
    ("mtlx-cleaning", "mtlx-mysql", 3306),
    ("mtlx-mysql-backup", "mtlx-metadata", 8080),
    ("mtlx-recurring-run", "mtlx-beam-job-server", 8099),
    ("task", "mtlx-flink-jobmanager", 8081),
]


def allowed(objects, caller, callee, port):
    """Whether all policies that choose either end let the connection pass."""
    labels = {i["metadata"]["name"]: pod_template(i)["metadata"]["labels"] for i in objects
              if i["kind"] in WORKLOADS} | {"task": TASK_LABELS}  # fmt: skip

    def passes(name, direction, other):
        chosen = [
            policy["spec"]
            for policy in of_kind(objects, "NetworkPolicy").values()
            if matches(policy["spec"]["podSelector"], labels[name])
            and direction in policy["spec"]["policyTypes"]
        ]
        peers = "from" if direction == "Ingress" else "to"
        return not chosen or any(
            any(
                "podSelector" in p and matches(p["podSelector"], labels[other]) for p in rule[peers]
            )
            and port in [entry["port"] for entry in rule["ports"]]
            for spec in chosen
            for rule in spec.get(direction.lower(), [])
        )

    return passes(caller, "Egress", callee) and passes(callee, "Ingress", caller)


def test_network_policies_let_pass_what_must_and_nothing_else(built):
    for connection in CONNECTIONS:
        assert allowed(built["example"], *connection), connection
    for connection in [*CONNECTIONS, *FLINK_CONNECTIONS]:
        assert allowed(built["flink"], *connection), connection
    for connection in REFUSED:
        assert not allowed(built["flink"], *connection), connection


@pytest.fixture(params=["overlays/example/experiment.yaml", "../../configs/default.yaml"])
def experiment(request):
    """The experiment files that name the manifests' objects."""
    return read_experiment(MANIFESTS / request.param)


def test_the_submitted_experiment_is_the_example(manifests, objects):
    path = manifests / "overlays/example/experiment.yaml"
    data = {"experiment.yaml": path.read_text(encoding="utf-8")}
    assert of_kind(objects, "ConfigMap")["mtlx-experiment"]["data"] == data


def test_experiments_agree_with_the_manifests(experiment, objects):
    kubeflow = experiment.kubeflow
    assert kubeflow.namespace == "kubeflow"
    claims = {volume.claim: volume.mount for volume in kubeflow.volumes}
    assert set(claims) <= set(of_kind(objects, "PersistentVolumeClaim"))
    assert kubeflow.settings["run.pipeline_root"].startswith(claims["mtlx-pipeline"] + "/")
    assert kubeflow.settings["serving.push_to"].startswith(claims["mtlx-serving"] + "/")
    assert kubeflow.settings["data.path"].startswith(claims["mtlx-logs"] + "/")
    assert kubeflow.metadata.host in of_kind(objects, "Service")
    (metadata,) = of_kind(objects, "Service")[kubeflow.metadata.host]["spec"]["ports"]
    assert metadata["port"] == kubeflow.metadata.port


def test_claims_are_mounted_where_the_experiment_has_them(experiment, objects):
    """A path that a task writes into metadata is read under the same name by every other pod."""
    mounts = {volume.claim: volume.mount for volume in experiment.kubeflow.volumes}
    for item in (item for item in objects if item["kind"] in WORKLOADS):
        claims = {
            volume["name"]: volume["persistentVolumeClaim"]["claimName"]
            for volume in pod(item).get("volumes", [])
            if "persistentVolumeClaim" in volume
        }
        for container in containers(item):
            for mount in container.get("volumeMounts", []):
                if claims.get(mount["name"]) in mounts:
                    assert mount["mountPath"] == mounts[claims[mount["name"]]]


def test_serving_reads_what_pusher_pushes(experiment, objects):
    (container,) = containers(of_kind(objects, "Deployment")["mtlx-serving"])
    flags = dict(argument.lstrip("-").split("=") for argument in container["args"])
    config = of_kind(objects, "ConfigMap")["mtlx-serving"]["data"]["models.config"]
    assert f'base_path: "{experiment.kubeflow.settings["serving.push_to"]}"' in config
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": int(flags["port"]), "rest": int(flags["rest_api_port"])}
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] == "/v1/models/mtlx"


def test_the_images_of_the_experiment_are_those_of_the_overlay(experiment, objects):
    for job in ("mtlx-recurring-run", "mtlx-cleaning"):
        (container,) = containers(of_kind(objects, "CronJob")[job])
        assert container["image"] == experiment.kubeflow.image


def test_the_jobs_commands_are_commands(experiment, objects):
    """What a container is started with, the command line takes, on the places of the cluster."""
    parser = make_parser((*pipeline_commands, *kubeflow_commands))
    for job in ("mtlx-recurring-run", "mtlx-cleaning"):
        (container,) = containers(of_kind(objects, "CronJob")[job])
        program, *arguments = container["command"]
        parsed = parser.parse_args(arguments)
        assert program == "mtlx" and parsed.experiment == "/etc/mtlx/experiment.yaml"
    place = Workplace.on_cluster(experiment)
    (clean,) = containers(of_kind(objects, "CronJob")["mtlx-cleaning"])
    assert "--cluster" in clean["command"]
    mounts = [mount["mountPath"] for mount in clean["volumeMounts"] if not mount.get("readOnly")]
    for needed in (place.artifacts, place.push_to):
        assert any(needed.startswith(f"{mount}/") for mount in mounts), needed


def test_the_example_experiment_compiles():
    """With all checks of the backend's rules."""
    from mtlx.kubeflow.package.compiler import compile_package

    experiment = read_experiment(MANIFESTS / "overlays/example/experiment.yaml")
    package = compile_package(experiment)
    assert package.pipeline_root == experiment.kubeflow.settings["run.pipeline_root"]
    assert package.nodes["Trainer"].gpu == 1 and package.nodes["Report"].gpu == 0
    documents = list(yaml.safe_load_all(package.pipeline_yaml))
    text = yaml.safe_dump(documents)
    for volume in experiment.kubeflow.volumes:
        assert volume.claim in text
