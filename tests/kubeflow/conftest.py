"""A small experiment and its compiled package, shared by the tests of this folder."""

import inspect
import sys
import types
from pathlib import Path

import kfp
import pytest
import yaml
from kfp.dsl import pipeline_task

from mtlx.pipeline.experiment.experiment_file import read_experiment

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session", autouse=True)
def _short_stacks():
    """kfp takes the whole stack to read its caller's name in it, 68 times a package.

    For every frame without a file, as those of pytest-xdist are, `inspect` then goes through all
    loaded modules: seconds for each package, where some frames' names are what is asked for.
    """

    def stack():
        caller = sys._getframe(1)
        frames = [caller, caller.f_back]
        return [(f, f.f_code.co_filename, f.f_lineno, f.f_code.co_name, None, None) for f in frames]

    with pytest.MonkeyPatch.context() as patch:
        short = types.SimpleNamespace(**{**vars(inspect), "stack": stack})
        patch.setattr(pipeline_task, "inspect", short)
        yield


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
