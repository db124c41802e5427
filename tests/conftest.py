"""What all tests share: their order (the longest files first, so that no process is left with one
at the end), their names, and small disks.
"""

import os
import subprocess

import pytest

from mtlx.pipeline.process import stack

#: Files that take more than half a minute, by their share of the whole.
LONGEST_FIRST = (
    "kubeflow/test_beam_runners.py",
    "trainer/distribution/test_worker_group.py",
    "kubeflow/rehearsal/test_rehearse.py",
    "pipeline/test_interrupted_run.py",
    "pipeline/graph/test_stock_components.py",
    "trainer/distribution/test_devices.py",
    "transform/test_preprocessing.py",
    "trainer/training/methods/test_multi_domain_devices.py",
    "trainer/training/methods/test_gate_trim.py",
    "trainer/test_contract.py",
    "kubeflow/training_job/test_run_fn.py",
    "kubeflow/package/test_compiler.py",
    "trainer/training/methods/test_gradient_boosting.py",
)


def pytest_collection_modifyitems(items):
    def place(item):
        for index, name in enumerate(LONGEST_FIRST):
            if item.path.as_posix().endswith("tests/" + name):
                return index
        return len(LONGEST_FIRST)

    items.sort(key=place)


def pytest_make_parametrize_id(val):
    """Names packed bytes by what they are: gzip writes the time into its header, and processes
    that collect the same tests in two different seconds would not find the same names.
    """
    return "packed" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None


@pytest.fixture(scope="session", autouse=True)
def _beam_in_process():
    """Executors that are called without `mtlx.pipeline.run.node_run` use Beam's own default else."""
    stack.run_beam_in_process()


@pytest.fixture
def mount(tmp_path):
    """Mounts memory as a disk with the given options, such as ``size=1m``; root alone may.

    On a folder of its own, or on the one that is given.
    """
    mounted = []

    def function(options, folder=None):
        folder = folder or tmp_path / f"disk-{len(mounted)}"
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("needs a disk of its own, which root alone may mount")
        mounted.append(folder)
        return folder

    yield function
    for folder in mounted:
        # Lazily: a process that was killed may still hold a file.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
