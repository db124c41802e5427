"""A fake API, a compiled package, and what the command line would hand over."""

import sys
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl

sys.path.insert(0, str(Path(__file__).parent))

from fake_kubeflow import TOKEN, FakeKubeflow  # noqa: E402


@dsl.container_component
def relaimpgate(blessed: dsl.OutputPath(bool)):
    return dsl.ContainerSpec(image="image", command=["true"], args=[blessed])


@dsl.container_component
def trainer():
    return dsl.ContainerSpec(image="image", command=["true"])


@dsl.container_component
def pusher():
    return dsl.ContainerSpec(image="image", command=["true"])


@pytest.fixture(scope="session")
def make_package(tmp_path_factory):
    """Compiles trainer, gate and, where wanted, a pusher that waits for the gate."""

    def make(push):
        @dsl.pipeline(name="census")
        def pipeline(data_path: str = "", span: str = "", run_name: str = ""):
            gate = relaimpgate().after(trainer())
            if push:
                with dsl.If(gate.outputs["blessed"] == True, "blessed"):  # noqa: E712
                    pusher()

        path = tmp_path_factory.mktemp("package") / "census.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return path

    return make


@pytest.fixture(scope="session")
def package(make_package):
    return make_package(push=True)


@pytest.fixture
def kubeflow(monkeypatch, tmp_path):
    """One user's Kubeflow Pipelines, and no settings of this machine."""
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "no-token"))
    for name in ("KF_PIPELINES_ENDPOINT", "KF_PIPELINES_UI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    fake = FakeKubeflow()
    yield fake
    fake.close()


@pytest.fixture(scope="session")
def experiment():
    from mtlx.pipeline.experiment.experiment import Experiment

    path = Path(__file__).parents[3] / "configs/default.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["kubeflow"] = {"service_account": "tasks", "experiment": "ranking"}
    return Experiment.read(values)


@pytest.fixture
def submit(kubeflow, package, experiment, monkeypatch):
    """Submits the package with further arguments; polls without waiting."""
    import argparse

    from mtlx.kubeflow.commands import submit as command
    from mtlx.kubeflow.submission import follow_run

    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.02)
    monkeypatch.setitem(follow_run.follow_run.__kwdefaults__, "poll_seconds", 0.02)

    def run(*arguments, host=None, token=TOKEN, file=None):
        parser = argparse.ArgumentParser()
        command.COMMAND.add_arguments(parser)
        given = ["configs/x.yaml", "--host", host or kubeflow.host, "--token", token, *arguments]
        return command.submit_package(file or package, experiment, parser.parse_args(given))

    return run
