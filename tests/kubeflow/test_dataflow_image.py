"""The image of Dataflow's workers, beside the lock, the tasks' image and Beam's own code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kubeflow.test_image import copies, read_stages, values

ROOT = Path(__file__).parents[2]
FILE = ROOT / "kubeflow/Dockerfile.dataflow"
#: Finds the module that the boot program starts, by the ``python`` of the path, without Beam's
#: other imports.
FIND = """
import importlib.util, pathlib
beam = importlib.util.find_spec("apache_beam")
pathlib.Path(beam.origin).parent.joinpath("runners/worker/sdk_worker_main.py").stat()
"""


@pytest.fixture(scope="module")
def stages():
    text = FILE.read_text(encoding="utf-8")
    return read_stages(re.sub(r"(?m)^ARG .*\n", "", text))


def test_hadolint_finds_nothing():
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, str(FILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_beam_and_python_are_those_of_the_lock_and_the_image(stages):
    image = values(stages["beam"], "FROM")[0].split()[0]
    python, beam = re.fullmatch(
        r"docker.io/apache/beam_python([\d.]+)_sdk:([\d.]+)", image
    ).groups()
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert f"\napache-beam=={beam}\n" in re.sub(r" \\$|\[[a-z,]+\]| #.*", "", lock, flags=re.M)
    main = (ROOT / "kubeflow/Dockerfile").read_text(encoding="utf-8")
    assert f"FROM docker.io/library/python:{python}." in main


def test_the_boot_program_takes_the_environment_that_has_our_packages(stages):
    """User, path and packages stay those of the tasks' image."""
    stage = stages["dataflow"]
    assert values(stage, "ENV") == ["RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1"]
    python = re.search(r"beam_python([\d.]+)_sdk", values(stages["beam"], "FROM")[0]).group(1)
    packages = f"lib/python{python}/site-packages/pip"
    assert list(copies(stage)) == [
        ("beam", ["/opt/apache/beam"], "/opt/apache/beam"),
        ("beam", [f"/usr/local/{packages}"], f"/opt/mtlx/{packages}"),
    ]
    (entry,) = values(stage, "ENTRYPOINT")
    assert json.loads(entry) == ["/opt/apache/beam/boot"]
    assert {name for name, _ in stage} == {"FROM", "COPY", "ENV", "ENTRYPOINT"}


def _finds(python, folder):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, "-c", FIND], cwd=folder, env=environment, capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="not in a virtual environment")
def test_why_the_default_environment(tmp_path):
    """What the boot program would do else: an environment with the *system's* packages."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", tmp_path / "own"],
        check=True,
    )
    assert not _finds(str(tmp_path / "own/bin/python"), tmp_path)
    assert _finds(sys.executable, tmp_path)


def _knows_beam(python, folder):
    """What the boot program asks before it starts a worker; "no" ends the container."""
    command = [python, "-m", "pip", "show", "apache-beam"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="not in a virtual environment")
def test_why_pip(tmp_path):
    """Beam in an environment without pip is taken for missing; pip's folder alone is enough."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    python = str(tmp_path / "own/bin/python")
    (packages,) = (tmp_path / "own/lib").glob("python*/site-packages")
    import apache_beam
    import pip

    beam = Path(apache_beam.__file__).parents[1]
    (metadata,) = beam.glob("apache_beam-*.dist-info")
    (packages / metadata.name).symlink_to(metadata)
    assert not _knows_beam(python, tmp_path)
    (packages / "pip").symlink_to(Path(pip.__file__).parent)
    assert _knows_beam(python, tmp_path)


def test_the_documentation_builds_it_for_the_worker_image_it_names():
    text = (ROOT / "docs/kubeflow.md").read_text(encoding="utf-8")
    built = re.search(r"-f kubeflow/Dockerfile.dataflow.*?-t (\S+)", text, re.S)
    named = re.findall(r"--sdk_container_image=(\S+)", text)
    assert built and built.group(1) in named
