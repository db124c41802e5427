"""What `pip install` of the project brings: one name, all that it needs, and room for others."""

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
GIVEN = ("requirements.in", "requirements-tfx-1.16.in")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from what git knows: a folder of an earlier build must not get in."""
    folder = tmp_path_factory.mktemp("wheel")
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout.split(b"\0")  # fmt: skip
    for name in filter(None, map(os.fsdecode, names)):
        source, target = ROOT / name, folder / "project" / name
        if os.path.lexists(source) and not name.startswith(("tests/", "docs/", "benchmarks/")):
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                target.symlink_to(os.readlink(source))
            else:
                target.write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", str(folder)]
    subprocess.run([*command, str(folder / "project")], check=True, capture_output=True)
    (path,) = folder.glob("mtlx-*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    return Parser().parsestr(_read(wheel, "METADATA"))


def _read(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        paths = (path for path in archive.namelist() if path.split("/")[-1] == name)
        (path,) = (path for path in paths if ".dist-info/" in path)
        return archive.read(path).decode()


def test_it_installs_one_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"mtlx", f"mtlx-{wheel.name.split('-')[1]}.dist-info"}
    for floor in ("transform", "trainer", "components", "pipeline", "kubeflow"):
        assert any(name.startswith(f"mtlx/{floor}/") for name in names), floor
    assert not any(part in name for name in names for part in ("manifests", "tests", "__pycache__"))


def test_it_says_what_it_is(wheel, metadata):
    assert metadata["Name"] == "mtlx" and metadata["License"] == "Apache-2.0"
    assert metadata["Requires-Python"] == "<3.14,>=3.10"
    assert len(metadata.get_all("Project-URL")) >= 3
    assert "Apache License" in _read(wheel, "LICENSE")
    assert "mtlx = mtlx.kubeflow.command_line:main" in _read(wheel, "entry_points.txt")


def _by_hand(name):
    """What a stack is made of, but for development and what is held back for others' sake."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = text.split("# Development")[0].splitlines()
    return {
        one.name: next(iter(one.specifier)).version
        for one in (Requirement(line) for line in lines if line and not line.startswith("#"))
    }


@pytest.mark.parametrize("given", GIVEN)
def test_it_needs_what_each_stack_has(metadata, given):
    needed = {one.name: one for one in map(Requirement, metadata.get_all("Requires-Dist"))}
    stack = _by_hand(given)
    assert set(stack) <= set(needed)
    for name, version in stack.items():
        assert needed[name].specifier.contains(version), f"{needed[name]} is not {version}"


def test_it_needs_nothing_that_no_stack_names(metadata):
    lines = map(Requirement, metadata.get_all("Requires-Dist"))
    # What is optional is in no lock.
    needed = {line.name for line in lines if "extra ==" not in str(line.marker or "")}
    assert needed == set().union(*(_by_hand(given) for given in GIVEN), {"scipy"})


@pytest.fixture(scope="module")
def beside_kubeflows(wheel, tmp_path_factory):
    """An environment's folder with this project and a package named `kubeflow`, as its SDK is."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (folder / "kubeflow").mkdir()
    (folder / "kubeflow/__init__.py").write_text("SDK = True\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("place", ["elsewhere", "this project's root"])
def test_kubeflows_own_package_is_installed_beside_it(beside_kubeflows, tmp_path, place):
    code = (
        "import kubeflow, mtlx.kubeflow.command_line as own\n"
        "assert kubeflow.SDK and hasattr(own, 'main')\n"
        "print(kubeflow.__file__, own.__file__, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path if place == "elsewhere" else ROOT,
        env={**os.environ, "PYTHONPATH": str(beside_kubeflows)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    theirs, own = done.stdout.splitlines()
    assert theirs == str(beside_kubeflows / "kubeflow/__init__.py")
    if place == "elsewhere":
        assert own == str(beside_kubeflows / "mtlx/kubeflow/command_line.py")
