"""The image's Dockerfile: a linter's rules, our own, and what the installed project holds."""

import importlib.metadata
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "kubeflow/Dockerfile"
FLOORS = ("transform", "trainer", "components", "pipeline", "kubeflow")


def read_stages(text):
    """Instructions by stage, each a pair of its name and its value; the base image first."""
    parser = DockerfileParser(fileobj=io.BytesIO(text.encode()))
    stages, name = {}, None
    for entry in parser.structure:
        instruction, value = entry["instruction"], entry["value"]
        if instruction == "FROM":
            name = re.fullmatch(r"(\S+) AS (\S+)", value).group(2)
            stages[name] = []
        if instruction != "COMMENT":
            stages[name].append((instruction, value))
    return stages


@pytest.fixture(scope="module")
def stages():
    return read_stages(DOCKERFILE.read_text(encoding="utf-8"))


def values(stage, instruction):
    return [value for name, value in stage if name == instruction]


def lineage(stages, name):
    """A stage's instructions after those of the stages that it starts from."""
    base = values(stages[name], "FROM")[0].split()[0]
    return [*(lineage(stages, base) if base in stages else []), *stages[name]]


def copies(stage):
    """(stage it copies from or None, sources, target) of every COPY."""
    for value in values(stage, "COPY"):
        words = value.split()
        origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
        yield origin, words[:-1], words[-1]


def test_hadolint_finds_nothing():
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, str(DOCKERFILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_finds_what_is_wrong(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp && sudo true\n")
    linter = Path(sys.executable).parent / "hadolint"
    assert subprocess.run([linter, str(tmp_path / "Dockerfile")], capture_output=True).returncode


def test_base_images_are_pinned(stages):
    images = {values(stage, "FROM")[0].split()[0] for stage in stages.values()} - set(stages)
    assert images == {
        "docker.io/library/python:3.13.11-trixie",
        "docker.io/library/python:3.13.11-slim-trixie",
    }


def test_stages_are_declared_before_they_are_used(stages):
    seen = []
    for name, stage in stages.items():
        base = values(stage, "FROM")[0].split()[0]
        assert base in seen or ":" in base
        assert {origin for origin, _, _ in copies(stage) if origin} <= set(seen)
        seen.append(name)
    assert seen[-2:] == ["gpu", "cpu"]


def test_variables_are_declared(stages):
    for name in stages:
        declared = {"PATH"}
        for instruction, value in lineage(stages, name):
            if instruction in ("ARG", "ENV"):
                used = set(re.findall(r"\$\{(\w+)\}", value))
                assert used <= declared
                declared |= set(re.findall(r"(?:^|\s)(\w+)=", value))
            elif instruction == "LABEL":
                assert set(re.findall(r"\$\{(\w+)\}", value)) <= declared


def ignored(path):
    """Whether .dockerignore keeps a path out: the last rule that matches it or a parent decides."""
    out = False
    for rule in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.lstrip("!").replace("**/", "*")
        parents = [path, *(str(p) for p in Path(path).parents)]
        if any(fnmatch(p, pattern) for p in parents if p != "."):
            out = not rule.startswith("!")
    return out


def test_what_is_copied_exists_and_is_sent_to_the_engine(stages):
    sources = [s for st in stages.values() for origin, some, _ in copies(st) if not origin
               for s in some]  # fmt: skip
    assert {*FLOORS, "mtlx", "pyproject.toml", "requirements.txt"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists() and not ignored(source), source


@pytest.mark.parametrize("path", ["var/x", ".git/config", "tests/a.py", "kubeflow/manifests/a.env",
                                  "kubeflow/manifests/overlays/example/mysql.env",
                                  "trainer/__pycache__/a.pyc"])  # fmt: skip
def test_nothing_else_is_sent_to_the_engine(path):
    assert ignored(path)


@pytest.mark.parametrize("variant", ["cpu", "gpu"])
class TestVariant:
    def test_runs_as_a_numbered_user_that_is_not_root(self, stages, variant):
        users = values(lineage(stages, variant), "USER")
        assert users == ["10001:10001"]

    def test_nothing_is_installed_in_or_after_it(self, stages, variant):
        own = lineage(stages, variant)
        runs = [shlex.split(value)[0] for value in values(own, "RUN")]
        assert runs[0] == "apt-get" and len(runs) == 2
        assert not [value for _, value in own if re.search(r"\b(pip|uv|conda)\b", value)]
        assert not values(own, "ADD") and not values(own, "ENTRYPOINT")

    def test_requirements_lie_below_the_code(self, stages, variant):
        targets = [(origin, target) for origin, _, target in copies(stages[variant])]
        requirements = "requirements-gpu" if variant == "gpu" else "requirements"
        assert targets == [(requirements, "/opt/mtlx"), ("code", "/opt/mtlx")]

    def test_is_checked_when_built_and_when_it_runs(self, stages, variant):
        own = lineage(stages, variant)
        check = '["python", "-m", "mtlx.kubeflow.task.node_entry", "--check"]'
        assert own[-1] == ("RUN", check)
        assert values(own, "HEALTHCHECK")[0].endswith(f"CMD {check}")

    def test_code_is_owned_by_root(self, stages, variant):
        assert "--chown" not in " ".join(values(lineage(stages, variant), "COPY"))

    def test_holds_no_secret(self, stages, variant):
        names = {
            name
            for instruction, value in lineage(stages, variant)
            if instruction in ("ARG", "ENV")
            for name in re.findall(r"(\w+)=", value)
        }
        assert not [name for name in names if re.search("(?i)secret|token|password|key", name)]

    def test_has_labels(self, stages, variant):
        labels = " ".join(values(lineage(stages, variant), "LABEL"))
        for key in ("title", "version", "revision"):
            assert f"org.opencontainers.image.{key}=" in labels


def test_the_users_number_is_that_of_the_manifests(stages):
    (volumes,) = [
        value for value in values(stages["runtime"], "RUN") if value.startswith("apt-get")
    ]
    assert "--uid 10001 --gid 10001" in volumes
    preparation = ROOT / "kubeflow/manifests/base/volume_preparation.yaml"
    assert "fsGroup: 10001" in preparation.read_text(encoding="utf-8")


def test_the_version_is_the_projects(stages):
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M).group(1)
    assert f"VERSION={version}" in values(stages["runtime"], "ARG")


def locked(name):
    """Versions by package, of what this interpreter would install."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in requirements
        if not one.marker or one.marker.evaluate()
    }


#: What packages need is known of the installed ones only.
of_the_images_stack = pytest.mark.skipif(
    importlib.metadata.version("tfx") != locked("requirements.txt")["tfx"],
    reason="the image has the newer stack",
)


@of_the_images_stack
def test_development_packages_stay_out(stages):
    text = " ".join(values(stages["requirements"], "RUN"))
    out = set(re.search(r"\^\(([^)]+)\)==", text).group(1).split("|"))
    section = (ROOT / "requirements.in").read_text(encoding="utf-8").split("# Development\n")[1]
    development = re.findall(r"^([\w-]+)==", section.split("\n\n")[0], re.M)
    assert set(development) <= out <= set(locked("requirements.txt"))
    stay = set(locked("requirements.txt")) - out
    for name in stay:
        assert not needed(name) & out, name


def needed(name):
    """What an installed package needs without extras."""
    requirements = [Requirement(line) for line in importlib.metadata.requires(name) or []]
    return {
        requirement.name.lower().replace("_", "-")
        for requirement in requirements
        if not requirement.marker or requirement.marker.evaluate({"extra": ""})
    }


@of_the_images_stack
def test_the_cuda_libraries_are_those_that_tensorflow_asks_for():
    asked = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, importlib.metadata.requires("tensorflow"))
        if requirement.marker and "and-cuda" in str(requirement.marker)
    }
    given = locked("kubeflow/requirements-gpu.txt")
    assert set(given) == set(asked)
    for name, version in given.items():
        assert asked[name].contains(version), name


def test_the_images_interpreter_is_one_of_the_locks(stages):
    (version,) = {
        re.search(r"python:(3\.\d+)\.", value).group(1)
        for stage in stages.values()
        for value in values(stage, "FROM")
        if ":" in value
    }
    assert version in (ROOT / "install/install.sh").read_text(encoding="utf-8")
    assert f"/python{version}/" in " ".join(values(stages["gpu"], "ENV"))


def test_every_cuda_library_is_on_the_path(stages):
    path = " ".join(values(stages["gpu"], "ENV"))
    for name in locked("kubeflow/requirements-gpu.txt"):
        folder = name.removeprefix("nvidia-").removesuffix("-cu12").replace("-", "_")
        below = folder if folder == "cuda_nvcc" else f"{folder}/lib"
        assert f"${{CUDA}}/{below}" in path, name


@pytest.fixture(scope="module")
def installed(tmp_path_factory, stages):
    """Folder into which the project was installed as the image's stage `code` has it."""
    folder = tmp_path_factory.mktemp("image")
    for _, sources, target in copies(stages["code"]):
        place = folder / "build/mtlx" / Path(target).relative_to("/build/mtlx")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=_ignore, symlinks=True)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    target = folder / "code"
    command += ["--target", str(target), str(folder / "build/mtlx")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


def _ignore(folder, names):
    return [n for n in names if ignored(str((Path(folder) / n).relative_to(ROOT)))]


def test_all_files_of_the_packages_are_installed(installed):
    def files(root):
        found = {
            str(path.relative_to(root))
            for floor in FLOORS
            for path in (root / floor).rglob("*")
            if path.is_file() and path.suffix not in (".pyc", ".txt")
        }
        return {path for path in found if not ignored(path)}

    assert files(installed / "mtlx") == files(ROOT)
    assert any(path.endswith(".html") for path in files(ROOT))


#: Imports all modules, finds the data of some, runs the health check and the command, one after
#: the other: each line of output is what one of them has to say.
USE = """
import importlib, json, pkgutil, runpy, sys
import mtlx
print(mtlx.__file__)
count = 0
for floor in sys.argv[1].split(","):
    package = importlib.import_module("mtlx." + floor)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
        count += 1
from mtlx.pipeline.experiment.presets import preset_names, read_preset
presets = [read_preset(name) for name in preset_names()]
from mtlx.components.report.render import _ENVIRONMENT
templates = [_ENVIRONMENT.get_template(t) for t in _ENVIRONMENT.list_templates(["html"])]
print(count, len(presets), len(templates))
from mtlx.kubeflow.task import node_entry
print(node_entry.main(["--check"]))
command = sys.argv[2]
sys.argv = [command, "models", "dtn"]
try:
    runpy.run_path(command, run_name="__main__")
except SystemExit as left:
    print(left.code)
"""


@pytest.fixture(scope="module")
def used(installed, tmp_path_factory):
    """What a process says that sees the installed files only, in another folder; and the folder."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {name: v for name, v in os.environ.items() if not name.startswith("TFX_MLMD_")}
    environment |= {"PYTHONPATH": str(installed), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", USE, ",".join(FLOORS), str(installed / "bin/mtlx")]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines(), folder


def test_the_installed_project_works_from_another_folder(used, installed):
    """All modules are imported, and what belongs to them is there."""
    (place, counted, *_), _ = used
    assert Path(place).is_relative_to(installed)
    modules, presets, templates = map(int, counted.split())
    assert modules > 150
    assert presets == len(list((ROOT / "trainer/presets").glob("*.yaml")))
    assert templates == len(list((ROOT / "components/report/templates").glob("*.html")))


def test_the_health_check_passes(used):
    """What the image's build ends with; in a process of its own: `test_node_entry`."""
    (_, _, said, code, *_), folder = used
    assert said == "imports, ML-Metadata, a node and its cache: as they should be"
    assert code == "0"
    assert not list(folder.iterdir())


def test_the_command_is_installed(used):
    (_, _, _, _, *said, code), _ = used
    assert any("dtn" in line for line in said)
    assert code == "0"
