"""Each rule refuses a document that breaks it, and no other rule is needed to say so."""

import copy

import pytest
import yaml

from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.kubeflow.package.strict_checks import check_package
from mtlx.kubeflow.package.strict_checks.check_package import LARGEST_PACKAGE

IMAGE = "registry.example.com/mtlx:1"
TRAINER = "deploymentSpec.executors.exec-trainer.container"
TASKS = "root.dag.tasks"


@pytest.fixture(scope="module")
def golden_documents(golden_package):
    """The golden package: these rules need neither TFX nor a compiler."""
    text = golden_package.read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


@pytest.fixture
def documents(golden_documents):
    """Each test its own copy."""
    return copy.deepcopy(golden_documents)


def _text(documents):
    return yaml.dump_all(documents, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def _put(document, path, value):
    """Sets a value at a dotted path; None takes it out."""
    *steps, last = path.split(".")
    for step in steps:
        document = document[step]
    if value is None:
        del document[last]
    else:
        document[last] = value


def _problems(documents):
    with pytest.raises(PackageRefused) as caught:
        check_package(_text(documents))
    return caught.value.problems


def test_the_golden_package_passes(documents):
    check_package(_text(documents))


def test_a_window_with_room_for_every_retry_passes(documents):
    _put(documents[0], f"{TASKS}.trainer.retryPolicy.backoffMaxDuration", "36900s")
    check_package(_text(documents))


def _only_argument(argument):
    return ["--x", argument]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schemaVersion", "2.0.0", "schemaVersion is '2.0.0'"),
        ("schemaVersoin", "2.1.0", "schemaVersoin"),
        ("pipelineInfo.name", "Small_run", "pipelineInfo.name: 'Small_run' is no DNS label"),
        ("pipelineInfo.name", "x" * 64, "at most 63"),
        ("pipelineInfo", None, "no pipelineInfo"),
        (f"{TASKS}.Trainer_2", {"componentRef": {"name": "comp-trainer"}}, "'Trainer_2' is no DNS"),
        (f"{TASKS}.trainer.componentRef.name", "comp-x", "no component 'comp-x'"),
        (f"{TASKS}.trainer.componentRef.name", "comp-report", "no task uses this component"),
        (f"{TASKS}.trainer.dependentTasks", ["nobody"], "depends on 'nobody'"),
        (f"{TASKS}.transform.dependentTasks", ["report"], "tasks wait for each other"),
        (f"{TASKS}.trainer.cachingOptions", {"enableCache": True}, "trainer: KFP's cache is on"),
        (f"{TASKS}.trainer.cachingOptoins", {}, "cachingOptoins"),
        (
            # Five attempts of 7200 s and pauses of 60, 120, 240 and 480 s.
            f"{TASKS}.trainer.retryPolicy.backoffMaxDuration",
            "36899s",
            "task trainer: its retries end 36899 s after the first attempt's start "
            "(backoffMaxDuration), but 4 retries need 36900 s",
        ),
        (
            f"{TASKS}.report.retryPolicy.backoffMaxDuration",
            "3600s",
            "task report: its retries end 3600 s after",
        ),
        (f"{TASKS}.trainer.inputs.parameters.span", None, "task trainer: gives no 'span'"),
        (
            f"{TASKS}.trainer.inputs.parameters.x",
            {"componentInputParameter": "span"},
            "comp-trainer takes no 'x'",
        ),
        (
            f"{TASKS}.trainer.inputs.parameters.span",
            {"componentInputParameter": "spans"},
            "the pipeline has no parameter 'spans'",
        ),
        (
            f"{TASKS}.trainer.inputs.parameters.span",
            {"taskOutputParameter": {"producerTask": "transform", "outputParameterKey": "x"}},
            "transform gives no 'x'",
        ),
        (
            f"{TASKS}.trainer.inputs.parameters.run_id",
            {"runtimeValue": {"constant": "run-{{$.pipeline_job_uuid}}"}},
            "is not resolved",
        ),
        (
            f"{TASKS}.condition-1.triggerPolicy.condition",
            "inputs.parameter_values['x'] == true",
            "its condition reads 'x'",
        ),
        (f"{TASKS}.condition-1.triggerPolicy.condition", "true", "its condition reads no input"),
        ("root.inputDefinitions.parameters.span.defaultValue", 3, "a STRING, but its default is"),
        (
            "root.inputDefinitions.parameters.span",
            {"parameterType": "STRING"},
            "has no default, so that a recurring run",
        ),
        ("root.inputDefinitions.parameters.span.parameterType", None, "span: has no type"),
        (
            f"components.comp-trainer.outputDefinitions.artifacts.{'x' * 129}",
            {"artifactType": {"schemaTitle": "system.Metrics", "schemaVersion": "0.0.1"}},
            "comp-trainer: output 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'... has 129 characters",
        ),
        ("components.comp-trainer.executorLabel", "exec-x", "no executor 'exec-x'"),
        ("components.comp-trainer.executorLabel", None, "neither an executor nor tasks"),
        (
            "deploymentSpec.executors.exec-trainer",
            {"resolver": {}},
            "container and importer executors only, not resolver",
        ),
        (
            "deploymentSpec.executors.exec-trainer",
            {"customJob": {}},
            "container and importer executors only, not custom_job",
        ),
        (f"{TRAINER}.comand", ["python"], "comand"),
        (f"{TRAINER}.command", None, "has no command"),
        (f"{TRAINER}.command", [""], "has no command"),
        (f"{TRAINER}.image", "", "is no image"),
        (f"{TRAINER}.image", "{{$.inputs.parameters['span']}}", "is no image"),
        (f"{TRAINER}.args", _only_argument("x" * 10_001), "10001 bytes"),
        (f"{TRAINER}.args", ["x" * 9_000] * 16, "more than the 130048"),
        (f"{TRAINER}.args", _only_argument("{{$.outputs.output_file}}"), "does not resolve"),
        (f"{TRAINER}.args", _only_argument("{{$.pipeline_root}}"), "does not resolve"),
        (
            f"{TRAINER}.args",
            _only_argument("{{$.inputs.parameters['spam']}}"),
            "declares no such input_parameter",
        ),
        (
            f"{TRAINER}.args",
            _only_argument("{{$.outputs.artifacts['model'].uri}}"),
            "declares no such output_artifact",
        ),
        (
            f"{TRAINER}.env",
            [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
            "variable A is there twice",
        ),
        (f"{TRAINER}.env", [{"name": "A", "value": "{{$}}"}], "A has a placeholder"),
    ],
)
def test_broken_pipeline_specifications(documents, path, value, message):
    _put(documents[0], path, value)
    assert any(message in problem for problem in _problems(documents)), _problems(documents)


PLATFORM = "platforms.kubernetes.deploymentSpec.executors"
#: A name as the SDK has written it beside the older field since kfp-kubernetes 1.5.
SHARED = {"runtimeValue": {"constant": "shared"}}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{PLATFORM}.exec-x", {"imagePullPolicy": "Always"}, "exec-x: no such executor"),
        (f"{PLATFORM}.exec-trainer.pvcMonut", [], "pvcMonut"),
        (f"{PLATFORM}.exec-trainer.imagePullPolicy", "Often", "no image pull policy 'Often'"),
        (
            f"{PLATFORM}.exec-trainer.pvcMount",
            [{"constant": "shared", "mountPath": "/a"}, {"constant": "shared", "mountPath": "/b"}],
            "volume 'shared' is mounted 2 times",
        ),
        (
            f"{PLATFORM}.exec-trainer.pvcMount",
            [{"constant": "shared", "mountPath": "/dev/shm"}],
            "path '/dev/shm' is mounted 2 times",
        ),
        (f"{PLATFORM}.exec-trainer.pvcMount", [{"constant": "a", "mountPath": "b"}], "from /"),
        (
            f"{PLATFORM}.exec-trainer.pvcMount",
            [
                {"pvcNameParameter": SHARED, "constant": "a", "mountPath": "/a"},
                {"pvcNameParameter": SHARED, "constant": "b", "mountPath": "/b"},
            ],
            "volume 'shared' is mounted 2 times",
        ),
        (
            f"{PLATFORM}.exec-trainer.secretAsVolume",
            [{"secretNameParameter": SHARED, "secretName": "a", "mountPath": "/a"}],
            "volume 'shared' is mounted 2 times",
        ),
        (
            f"{PLATFORM}.exec-trainer.secretAsEnv",
            [{"secretName": "s", "keyToEnv": [{"secretKey": "k", "envVar": "TFX_MLMD_HOST"}]}],
            "variable TFX_MLMD_HOST is set 2 times",
        ),
        (f"{PLATFORM}.exec-trainer.tolerations", [{"operator": "Equal"}], "must be Exists"),
        (
            f"{PLATFORM}.exec-trainer.tolerations",
            [{"key": "a", "operator": "Exists", "value": "b"}],
            "there is no value",
        ),
        (
            f"{PLATFORM}.exec-trainer.tolerations",
            [{"key": "a", "operator": "Exists", "tolerationSeconds": 3}],
            "needs the effect NoExecute",
        ),
        ("platforms.vertex", {}, "no platform ['vertex']"),
        ("platforms", None, "the second document has no platforms"),
    ],
)
def test_broken_platform_specifications(documents, path, value, message):
    _put(documents[1], path, value)
    assert any(message in problem for problem in _problems(documents)), _problems(documents)


def test_documents_themselves(documents):
    assert "Received: 0 documents" in _problems([])[0]
    assert "Received: 3 documents" in _problems([*documents, documents[1]])[0]
    documents[0]["root"]["inputDefinitions"]["parameters"]["span"]["defaultValue"] = float("nan")
    assert "no YAML that JSON can express" in _problems(documents)[0]


def test_a_package_beyond_the_clusters_store(documents):
    executors = documents[0]["deploymentSpec"]["executors"]
    for executor in executors.values():
        executor["container"]["args"] = ["x" * 9_500] * 10
    assert len(executors) * 95_000 > LARGEST_PACKAGE
    assert any(f"more than {LARGEST_PACKAGE}" in problem for problem in _problems(documents))


def test_every_problem_is_listed(documents):
    _put(documents[0], "schemaVersion", "2.0.0")
    _put(documents[0], f"{TRAINER}.command", None)
    assert len(_problems(documents)) == 2
