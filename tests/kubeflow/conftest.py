"""A small experiment and its compiled package, shared by the tests of this folder."""

from pathlib import Path

import kfp
import pytest
import yaml

from mtlx.pipeline.experiment.experiment_file import read_experiment

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden_folder():
    """Folder of the small experiment and the packages that it should give."""
    return GOLDEN


@pytest.fixture(scope="session")
def golden_package():
    """The package that the small experiment should give: kfp's SDKs write it differently."""
    version = ".".join(kfp.__version__.split(".")[:2])
    return GOLDEN / f"default-kfp-{version}.yaml"


@pytest.fixture(scope="session")
def small_experiment():
    """The experiment that the golden package is of."""
    return read_experiment(GOLDEN / "experiment.yaml")


@pytest.fixture(scope="session")
def package(small_experiment):
    """Its compiled package."""
    from mtlx.kubeflow.package.compiler import compile_package

    return compile_package(small_experiment)


@pytest.fixture
def documents(package):
    """The two documents of the package, each test its own copy."""
    return list(yaml.safe_load_all(package.pipeline_yaml))
