"""The package: one task per node, every dependency, its settings; the same bytes every time."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp import kubernetes
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.proto.orchestration import pipeline_pb2

from mtlx.kubeflow.package.compiler import PackageRefused, compile_package
from mtlx.kubeflow.package.node_component import task_name
from mtlx.kubeflow.rehearsal.task_inputs import executor_input, fill_placeholders
from mtlx.kubeflow.task import node_entry
from mtlx.pipeline.experiment.experiment_file import read_experiment

#: Set it to write the golden package anew: MTLX_WRITE_GOLDEN=1 pytest tests/kubeflow -k golden
WRITE_GOLDEN = "MTLX_WRITE_GOLDEN"


def _tasks(documents):
    """Every task of the package with a container, those behind the condition, too."""
    specification = documents[0]
    tasks = dict(specification["root"]["dag"]["tasks"])
    condition = tasks.pop("condition-1")
    inner = specification["components"][condition["componentRef"]["name"]]["dag"]["tasks"]
    return tasks | inner, condition, inner


def _container(documents, task):
    return documents[0]["deploymentSpec"]["executors"][f"exec-{task}"]["container"]


def _platform(documents, task):
    executors = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return executors[f"exec-{task}"]


def test_package_is_the_golden_one(package, golden_package):
    text = package.pipeline_yaml.replace(package.ir_digest, "SHA256")
    if os.environ.get(WRITE_GOLDEN):
        golden_package.write_text(text, encoding="utf-8")
    assert text == golden_package.read_text(encoding="utf-8"), (
        f"the package changed; if that is meant: {WRITE_GOLDEN}=1 python -m pytest "
        "tests/kubeflow/package/test_compiler.py -k golden"
    )


def test_another_process_writes_the_same_bytes(package, golden_folder, tmp_path):
    # Sets and maps are in another order there.
    seed = "7" if os.environ.get("PYTHONHASHSEED") != "7" else "8"
    arguments = ["compile", str(golden_folder / "experiment.yaml"), "--out", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", "mtlx.kubeflow.command_line", *arguments],
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "Small_run.yaml").read_text(encoding="utf-8") == package.pipeline_yaml
    assert (tmp_path / "ir" / f"{package.ir_digest}.pb").read_bytes() == package.ir


def test_the_anchor_is_a_task_of_its_own(golden_folder):
    anchored = (
        "gate.thresholds=[{rule: relaimp, minimum: -1, bound: upper, against: anchor}]",
        "gate.anchor={last: 5}",
    )
    experiment = read_experiment(golden_folder / "experiment.yaml", anchored)
    compiled = compile_package(experiment)
    tasks, _, _ = _tasks(list(yaml.safe_load_all(compiled.pipeline_yaml)))
    anchor = task_name("AnchorModel")
    assert tasks[anchor]["dependentTasks"] == ["trainer"]
    for node_id in ("SliceEvaluation", "RelaImpGate"):
        assert anchor in tasks[task_name(node_id)]["dependentTasks"]


def test_every_node_is_a_task_and_every_edge_a_dependency(package, documents):
    pipeline = pipeline_pb2.Pipeline.FromString(package.ir)
    upstream = {
        task_name(node.pipeline_node.node_info.id): {
            task_name(name) for name in node.pipeline_node.upstream_nodes
        }
        for node in pipeline.nodes
    }
    tasks, condition, inner = _tasks(documents)
    assert set(tasks) == set(upstream)
    assert set(inner) == {"pusher"}
    found = {name: set(task.get("dependentTasks", ())) for name, task in tasks.items()}
    found["pusher"] = set(condition["dependentTasks"])
    assert found == upstream
    # AnomalyGuard gives Transform no input; TFX knows the edge from add_upstream_node.
    assert "anomaly-guard" in found["transform"]


def test_pusher_runs_only_behind_the_serving_check_which_repeats_the_gates_no(documents):
    _, condition, _ = _tasks(documents)
    (name, source), *_ = [
        item
        for item in condition["inputs"]["parameters"].items()
        if "taskOutputParameter" in item[1]
    ]
    assert source["taskOutputParameter"] == {
        "outputParameterKey": "blessed",
        "producerTask": "serving-check",
    }
    expected = f"inputs.parameter_values['{name}'] == true"
    assert condition["triggerPolicy"]["condition"] == expected


def test_ir_is_named_by_its_digest_and_leaves_the_runs_parameters_open(package, documents):
    assert hashlib.sha256(package.ir).hexdigest() == package.ir_digest
    assert package.ir_path == f"gs://bucket/pipelines/small/ir/{package.ir_digest}.pb"
    arguments = _container(documents, "trainer")["args"]
    assert arguments[:6] == [
        "--node", "Trainer", "--ir_path", package.ir_path, "--ir_digest", package.ir_digest,
    ]  # fmt: skip
    pipeline = pipeline_pb2.Pipeline.FromString(package.ir)
    values = pipeline.nodes[0].pipeline_node.parameters.parameters
    assert values["input_base"].runtime_parameter.name == "data_path"
    assert values["range_config"].runtime_parameter.name == "range_config"
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    pipeline.deployment_config.Unpack(deployment)
    assert not deployment.HasField("metadata_connection_config")


def test_every_value_of_a_parameter_reaches_its_task(documents):
    """Filled in as the launcher does it; a value may begin with a dash, or be empty."""
    package = pipeline_spec_pb2.PipelineSpec()
    json_format.ParseDict(documents[0], package)
    component = package.components["comp-trainer"]
    given = {"run_id": "run-1", "run_name": "-nightly", "data_path": "", "span": "--run_id=2"}
    filled = fill_placeholders(
        _container(documents, "trainer")["args"], executor_input(component, given, Path("/attempt"))
    )
    parsed = node_entry._parser().parse_args(filled)
    assert {name: getattr(parsed, name) for name in given} == given
    assert json.loads(parsed.executor_input)["inputs"]["parameterValues"] == given
    assert parsed.node == "Trainer"


def test_what_changes_per_run_are_pipeline_parameters(documents):
    parameters = documents[0]["root"]["inputDefinitions"]["parameters"]
    # The folder above the first mark of a span; the cluster's, not this machine's.
    defaults = {name: value["defaultValue"] for name, value in parameters.items()}
    assert defaults == {"data_path": "gs://bucket/logs", "span": "3", "run_name": ""}


def test_paths_of_the_cluster_reach_the_nodes(package):
    pipeline = pipeline_pb2.Pipeline.FromString(package.ir)
    nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in pipeline.nodes}
    pushed = nodes["Pusher"].parameters.parameters["push_destination"].field_value.string_value
    assert json.loads(pushed)["filesystem"]["base_directory"] == "gs://bucket/serving"


def _resources(documents, task):
    """As texts; kfp's newer SDKs write numbers besides, for backends that read only these."""
    resources = _container(documents, task)["resources"]
    return {name: value for name, value in resources.items() if name.startswith("resource")}


def test_resources_of_nodes(documents):
    assert _resources(documents, "log-example-gen") == {
        "resourceCpuRequest": "2",
        "resourceCpuLimit": "4",
        "resourceMemoryRequest": "4Gi",
        "resourceMemoryLimit": "8Gi",
    }
    trainer = _container(documents, "trainer")
    assert trainer["image"] == "registry.example.com/mtlx:1-gpu"
    accelerator = {"resourceType": "nvidia.com/gpu", "resourceCount": "2"}
    assert accelerator.items() <= trainer["resources"]["accelerator"].items()
    assert _container(documents, "transform")["image"] == "registry.example.com/mtlx:1"
    with_gpus = [
        name
        for name, executor in documents[0]["deploymentSpec"]["executors"].items()
        if "accelerator" in executor["container"]["resources"]
    ]
    assert with_gpus == ["exec-trainer"]


def test_the_serving_check_can_be_given_the_memory_of_two_models(golden_folder):
    override = "kubeflow.nodes.ServingCheck={memory: 12Gi, node_selector: {pool: large}}"
    experiment = read_experiment(golden_folder / "experiment.yaml", [override])
    changed = list(yaml.safe_load_all(compile_package(experiment).pipeline_yaml))
    assert _resources(changed, "serving-check")["resourceMemoryLimit"] == "12Gi"
    assert _platform(changed, "serving-check")["nodeSelector"] == {"labels": {"pool": "large"}}
    assert _resources(changed, "pusher")["resourceMemoryLimit"] != "12Gi"


def test_where_pods_run_and_what_they_see(documents):
    trainer = _platform(documents, "trainer")
    assert trainer["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert trainer["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert [mount["constant"] for mount in trainer["pvcMount"]] == ["shared", "scratch"]
    assert trainer["emptyDirMounts"] == [
        {
            "volumeName": "shared-memory",
            "mountPath": "/dev/shm",
            "medium": "Memory",
            "sizeLimit": "8Gi",
        }
    ]
    assert trainer["activeDeadlineSeconds"] == "7200"
    assert trainer["secretAsVolume"][0]["mountPath"] == "/secrets/bucket"
    assert trainer["secretAsEnv"][0]["keyToEnv"] == [
        {"secretKey": "token", "envVar": "TRACKER_TOKEN"}
    ]
    report = _platform(documents, "report")
    assert report["nodeSelector"] == {"labels": {"pool": "small"}}
    assert not {"tolerations", "emptyDirMounts", "activeDeadlineSeconds"} & report.keys()
    assert [secret["secretName"] for secret in report["imagePullSecret"]] == ["registry"]


def test_environment_holds_one_metadata_store(documents):
    variables = {one["name"]: one["value"] for one in _container(documents, "trainer")["env"]}
    assert variables == {
        "NCCL_DEBUG": "INFO",
        "TFX_MLMD_HOST": "mtlx-metadata",
        "TFX_MLMD_PORT": "8080",
    }
    # Pusher's secret names a database, so the server is not named as well.
    assert "env" not in _container(documents, "pusher")


def test_retries_and_no_kfp_cache(documents):
    tasks, _, _ = _tasks(documents)
    assert all(not task.get("cachingOptions") for task in tasks.values())
    assert "retryPolicy" not in tasks["log-example-gen"]
    assert tasks["trainer"]["retryPolicy"] == {
        "maxRetryCount": 4,
        "backoffDuration": "60s",
        "backoffFactor": 2.0,
        # Argo counts it from the first attempt's start: 5 attempts of 7200 s have room.
        "backoffMaxDuration": "2592000s",
    }


@pytest.mark.parametrize(
    ("settings", "window"),
    [
        # kfp itself would cut every window down to an hour.
        ("{retries: 1, timeout_seconds: null}", 2_592_000),
        ("{retries: 2, retry_seconds: 30, timeout_seconds: 2000000}", 3 * 2_000_000 + 30 + 60),
        ("{retries: 17, retry_seconds: 30}", 30 * (2**17 - 1)),
    ],
)
def test_the_window_of_retries_has_room_for_all_of_them(golden_folder, settings, window):
    override = f"kubeflow.nodes.Report={settings}"
    experiment = read_experiment(golden_folder / "experiment.yaml", [override])
    documents = list(yaml.safe_load_all(compile_package(experiment).pipeline_yaml))
    tasks, _, _ = _tasks(documents)
    assert tasks["report"]["retryPolicy"]["backoffMaxDuration"] == f"{window}s"
    assert tasks["pusher"]["retryPolicy"]["backoffMaxDuration"] == "2592000s"


def test_several_machines_are_asked_for_by_the_task_not_for_it(documents):
    container = _container(documents, "reference-trainer")
    assert "accelerator" not in container["resources"]
    assert container["resources"]["resourceMemoryRequest"] == "4Gi"
    platform = _platform(documents, "reference-trainer")
    assert platform["nodeSelector"] == {"labels": {"pool": "small"}}
    variables = {one["name"]: one["value"] for one in container["env"]}
    job = json.loads(variables["MTLX_TRAINING_JOB"])
    assert (job["workers"], job["gpu"], job["memory"]) == (2, 1, "16Gi")
    assert job["node_selector"] == {"pool": "gpu"}
    assert job["volumes"] == [{"claim": "shared", "mount": "/mnt/shared"}]
    assert job["namespace"] == "kubeflow"
    assert job["service_account"] == "mtlx-pipeline"
    assert job["image_pull_secrets"] == ["registry"]


def test_one_roc_per_task_under_a_name_that_kfp_takes(documents):
    outputs = documents[0]["components"]["comp-slice-evaluation"]["outputDefinitions"]
    assert {"roc_click", "roc_buy_now", "summary"} <= outputs["artifacts"].keys()


@pytest.mark.parametrize(("check", "judge"), [({}, "serving-check"), (None, "evaluator")])
def test_stock_components_are_gated_too(small_experiment, check, judge):
    values = small_experiment.model_dump(mode="json", exclude_unset=True)
    values["gate"].pop("reference")
    values["kubeflow"]["nodes"].pop("ReferenceTrainer")
    values["components"] = {"evaluation": "stock", "transform": "stock", "statistics": "stock"}
    values["serving"]["check"] = check
    package = compile_package(type(small_experiment).read(values))
    documents = list(yaml.safe_load_all(package.pipeline_yaml))
    _, condition, _ = _tasks(documents)
    producers = {
        value["taskOutputParameter"]["producerTask"]
        for value in condition["inputs"]["parameters"].values()
        if "taskOutputParameter" in value
    }
    assert producers == {judge}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("kubeflow.image=null", "kubeflow.image is missing: .*kubeflow/Dockerfile"),
        ("kubeflow.nodes.Trianer={gpu: 1}", "kubeflow.nodes.Trianer: .*did you mean 'Trainer'"),
        ("kubeflow.nodes.Report={memory: 1.5Gi}", "kubeflow.nodes.Report: Invalid memory"),
        (
            "kubeflow.nodes.Report={volumes: [{claim: other, mount: /mnt/shared}]}",
            "path '/mnt/shared' is mounted 2 times",
        ),
        (
            # The task's own pod has none of them: they stand in a variable of its own.
            "kubeflow.nodes.ReferenceTrainer.tolerations=[{key: a, operator: Exists, value: b}]",
            "reference-trainer: workers: toleration of 'a': with the operator Exists there is no",
        ),
    ],
)
def test_what_does_not_fit_the_pipeline_is_refused(golden_folder, override, message):
    experiment = read_experiment(golden_folder / "experiment.yaml", [override])
    with pytest.raises(PackageRefused, match=message):
        compile_package(experiment)


def test_three_gpus_are_asked_for_or_refused_by_name(golden_folder):
    """kfp's older SDKs know 1, 2, 4, 8 and 16 only."""
    experiment = read_experiment(
        golden_folder / "experiment.yaml", ["kubeflow.nodes.Report={gpu: 3}"]
    )
    try:
        text = compile_package(experiment).pipeline_yaml
    except PackageRefused as refused:
        assert re.search("kubeflow.nodes.Report: .*1, 2, 4, 8, 16", str(refused))
        return
    container = _container(list(yaml.safe_load_all(text)), "report")
    assert container["resources"]["accelerator"]["resourceCount"] == "3"


def test_no_task_is_roots_where_kfp_can_say_so(documents):
    if not hasattr(kubernetes, "set_security_context"):
        pytest.skip("kfp's SDK cannot set it before 2.17")
    for task in _tasks(documents)[0]:
        context = _platform(documents, task)["securityContext"]
        assert context == {"runAsGroup": "10001", "runAsNonRoot": True}, task


def test_a_package_for_this_machine_keeps_its_paths(small_experiment, tmp_path):
    values = small_experiment.model_dump(mode="json", exclude_unset=True)
    values["run"] = {"pipeline_root": str(tmp_path)}
    values["kubeflow"]["image"] = None
    values["kubeflow"]["nodes"].pop("Trainer")
    package = compile_package(type(small_experiment).read(values), for_cluster=False)
    assert package.pipeline_root == str(tmp_path / "artifacts")
    assert "gs://bucket" not in package.pipeline_yaml
