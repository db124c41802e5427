"""A package whose Trainer trains on several machines: its run_fn, and what its task is told."""

import pytest
import yaml
from tfx.proto.orchestration import pipeline_pb2

from mtlx.kubeflow.package.compiler import PackageRefused, compile_package
from mtlx.kubeflow.training_job.settings import TrainingJobSettings
from mtlx.pipeline.experiment.experiment_file import read_experiment

EXPERIMENT = """\
name: small
data: {reader: csv, path: /logs/*.csv, split: {by: row, train: 0.8, validation: 0.1, test: 0.1}}
features:
  item: {kind: categorical}
  price: {kind: numeric}
tasks:
  click: {label: click}
model: {network: shared_bottom, sequence_encoder: none}
gate: {baseline: reference, reference: {preset: lightgbm}}
run: {pipeline_root: /pipeline}
kubeflow:
  image: registry.example/mtlx:1
  namespace: ranking
  settings: {data.path: /pipeline/logs/*.csv}
  volumes: [{claim: mtlx-root, mount: /pipeline}]
  image_pull_secrets: [registry]
  nodes:
    Trainer: {workers: 3, gpu: 1, memory: 16Gi, timeout_seconds: 3600}
"""


@pytest.fixture
def experiment(tmp_path):
    def read(text=EXPERIMENT):
        path = tmp_path / "x.yaml"
        path.write_text(text, encoding="utf-8")
        return read_experiment(path)

    return read


def _run_fns(package):
    ir = pipeline_pb2.Pipeline.FromString(package.ir)
    nodes = [node.pipeline_node for node in ir.nodes]
    return {
        node.node_info.id: node.parameters.parameters["run_fn"].field_value.string_value
        for node in nodes
        if "run_fn" in node.parameters.parameters
    }


def _variables(package):
    spec = next(yaml.safe_load_all(package.pipeline_yaml))
    executors = spec["deploymentSpec"]["executors"]
    (trainer,) = [
        executor["container"]
        for name, executor in executors.items()
        if "Trainer" in executor["container"]["command"] + executor["container"].get("args", [])
        and "ReferenceTrainer" not in str(executor)
    ]
    return trainer, {item["name"]: item["value"] for item in trainer["env"]}


def test_the_trainer_hands_its_training_to_a_job(experiment):
    package = compile_package(experiment())
    assert _run_fns(package) == {
        "Trainer": "mtlx.kubeflow.training_job.run_fn.run_fn",
        "ReferenceTrainer": "mtlx.trainer.run_fn.run_fn",
    }
    container, variables = _variables(package)
    settings = TrainingJobSettings.of_environment(variables)
    assert (settings.workers, settings.gpu, settings.memory) == (3, 1, "16Gi")
    assert settings.image == "registry.example/mtlx:1" and settings.namespace == "ranking"
    assert settings.volumes[0].claim == "mtlx-root"
    assert settings.image_pull_secrets == ["registry"]
    assert settings.timeout_seconds == 3600
    assert "accelerator" not in container["resources"], "the task itself only waits"


@pytest.mark.parametrize("kind", ["TFJob", "TrainJob"])
def test_the_kind_of_job_is_the_experiments(experiment, kind):
    text = EXPERIMENT.replace(
        "  namespace: ranking", f"  namespace: ranking\n  training_job: {kind}"
    )
    package = compile_package(experiment(text))
    assert TrainingJobSettings.of_environment(_variables(package)[1]).kind == kind


@pytest.mark.parametrize("kind", ["TFJob", "TrainJob"])
def test_tasks_on_this_machine_train_here(experiment, kind):
    """A rehearsal, too."""
    text = EXPERIMENT.replace(
        "  namespace: ranking", f"  namespace: ranking\n  training_job: {kind}"
    )
    assert set(_run_fns(compile_package(experiment(text), for_cluster=False)).values()) == {
        "mtlx.trainer.run_fn.run_fn"
    }


def test_refuses_what_no_trainjob_takes(experiment):
    text = EXPERIMENT.replace(
        "  namespace: ranking", "  namespace: ranking\n  training_job: TrainJob"
    )
    text = text.replace("{workers: 3,", f"{{workers: 3, image: {'x' * 501},")
    with pytest.raises(PackageRefused, match="workers: the image's name has 501 characters"):
        compile_package(experiment(text))


def test_refuses_several_machines_for_boosting(experiment):
    text = EXPERIMENT.replace("    Trainer: {", "    ReferenceTrainer: {")
    words = r"kubeflow.nodes.ReferenceTrainer.workers.*'gradient_boosting' runs on one machine"
    with pytest.raises(PackageRefused, match=words):
        compile_package(experiment(text))
