"""What `make` installs where: the choice of the stack, and what fails in one line."""

import functools
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
CHOOSE, INSTALL = ROOT / "install/choose_stack.sh", ROOT / "install/install.sh"
FETCH = ROOT / "install/fetch_uv.py"
#: What the scripts use besides what they look for.
TOOLS = ("sh", "cat", "cut", "env", "grep", "head", "mktemp", "rm", "sed", "sort", "uname")


@pytest.fixture
def programs(tmp_path):
    """A folder that is all of a PATH, and a function that puts programs there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(
            next(p for p in ("/usr/bin", "/bin") if (Path(p) / tool).exists()) + f"/{tool}"
        )

    def put(name, text):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)

    put.folder = folder
    return put


def run(programs, *command, **variables):
    environment = {"PATH": str(programs.folder), "HOME": str(programs.folder.parent), **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def choose(programs, glibc, *arguments, machine="Linux x86_64"):
    if glibc:
        programs("getconf", f"echo 'glibc {glibc}'")
    else:
        programs("getconf", "exit 1")
    system, processor = machine.split()
    (programs.folder / "uname").unlink()
    programs("uname", f'[ "$1" = -s ] && echo {system} || echo {processor}')
    return run(programs, "sh", str(CHOOSE), *arguments)


@pytest.mark.parametrize(
    ("glibc", "stack"),
    [
        ("2.31", "tfx-1.16"), ("2.36", "tfx-1.16"), ("2.38", "tfx-1.16"),
        ("2.39", "tfx-1.21"), ("2.41", "tfx-1.21"), ("2.100", "tfx-1.21"), ("3.0", "tfx-1.21"),
        ("2.9", "tfx-1.16"),
    ],
)  # fmt: skip
def test_glibc_decides(programs, glibc, stack):
    done = choose(programs, glibc)
    lock = {"tfx-1.21": "requirements.txt", "tfx-1.16": "requirements-tfx-1.16.txt"}[stack]
    assert done.stdout.split()[:2] == [stack, lock]
    assert f"glibc is {glibc} here" in done.stdout and (ROOT / lock).exists()


@pytest.mark.parametrize("stack", ["tfx-1.21", "tfx-1.16"])
def test_it_can_be_told(programs, stack):
    for glibc in ("2.36", "2.41", None):
        assert choose(programs, glibc, stack).stdout.split()[0] == stack


@pytest.mark.parametrize(
    ("glibc", "machine"),
    [("2.41", "Linux aarch64"), ("2.41", "Darwin arm64"), (None, "Linux x86_64")],
)
def test_machines_without_packages_are_told_so(programs, glibc, machine):
    done = choose(programs, glibc, machine=machine)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "x86-64 with glibc only" in done.stderr


def test_an_unknown_stack_is_refused(programs):
    done = choose(programs, "2.41", "tfx-1.22")
    assert done.returncode == 2 and "none of tfx-1.21, tfx-1.16" in done.stderr


def install(programs, tmp_path, stack="tfx-1.21", python="", **variables):
    lock = {"tfx-1.21": "requirements.txt", "tfx-1.16": "requirements-tfx-1.16.txt"}[stack]
    venv = str(tmp_path / "venv")
    # From a folder without a .uv of its own.
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    (work / "install").symlink_to(ROOT / "install")
    environment = {"PATH": str(programs.folder), "HOME": str(tmp_path), **variables}
    return subprocess.run(
        ["sh", str(INSTALL), stack, lock, venv, python],
        cwd=work, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def one_line(done, text):
    assert done.returncode == 1
    last = done.stderr.splitlines()
    assert len(last) == 1 and last[0].startswith("mtlx: ") and text in last[0], done.stderr


def test_without_uv_and_python_nothing_is_begun(programs, tmp_path):
    one_line(install(programs, tmp_path), "needs uv or any Python 3")


def test_a_missing_compiler_is_said_before_anything_else(programs, tmp_path):
    programs("uv", "echo must not be called >&2; exit 1")
    one_line(install(programs, tmp_path, "tfx-1.16"), "C++ compiler, for pyfarmhash")


def test_an_interpreter_of_another_version_is_refused(programs, tmp_path):
    programs("uv", "exit 0")
    programs("old", "echo 3.8")
    done = install(programs, tmp_path, python=str(programs.folder / "old"))
    one_line(done, "needs Python 3.13 or 3.12; PYTHON=")


def test_uv_brings_the_interpreter_where_there_is_none(programs, tmp_path):
    """A stub of uv notes what it is asked for, and finds no interpreter."""
    log = tmp_path / "asked"
    programs("uv", f'echo "$*" >>{log}; [ "$1 $2" != "python find" ]')
    done = install(programs, tmp_path, UV_PYTHON_INSTALL_MIRROR="http://localhost:1/mirror")
    assert done.returncode == 0, done.stderr
    said = "no Python 3.13 or 3.12 here: uv downloads 3.13 into its own folder, from http://localhost:1"
    assert said in done.stdout
    asked = log.read_text().splitlines()
    assert [line for line in asked if line.startswith("python install")] == [
        "python install --no-bin 3.13"
    ]
    assert any(line.startswith("venv --clear --no-project --python 3.13 ") for line in asked)
    assert any("--no-deps --compile-bytecode -r requirements.txt" in line for line in asked)


def test_an_interpreter_that_is_here_is_taken(programs, tmp_path):
    log = tmp_path / "asked"
    programs("uv", f'echo "$*" >>{log}; [ "$1 $2" != "python find" ] || echo /usr/bin/some-python')
    done = install(programs, tmp_path)
    assert done.returncode == 0 and "with /usr/bin/some-python" in done.stdout
    assert "python install" not in log.read_text()


def test_without_network_it_is_one_line(programs, tmp_path):
    error = "error: Failed to fetch: https://example.invalid/simple/x/ Caused by: dns error"
    programs("uv", f'[ "$1 $2" != "pip install" ] || {{ echo "{error}" >&2; exit 1; }}')
    one_line(install(programs, tmp_path), "no network, or none to https://example.invalid")


def test_what_else_fails_is_shown_whole(programs, tmp_path):
    programs("uv", '[ "$1 $2" != "pip install" ] || { echo "no space left" >&2; exit 1; }')
    done = install(programs, tmp_path)
    assert done.returncode == 1 and done.stderr.splitlines()[0] == "no space left"


def test_a_folder_that_is_no_environment_is_left_alone(programs, tmp_path):
    programs("uv", "exit 0")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "precious").write_text("x")
    one_line(install(programs, tmp_path), "no virtual environment")
    assert (tmp_path / "venv" / "precious").exists()


@pytest.mark.parametrize("target", ["lock", "audit"])
def test_lock_and_audit_trust_what_the_machine_trusts(programs, target):
    """As installing does: uv and what it runs have lists of authorities of their own."""
    (programs.folder / "make").symlink_to(shutil.which("make"))
    programs("uv", 'echo "uv: $UV_SYSTEM_CERTS $UV_DEFAULT_INDEX $REQUESTS_CA_BUNDLE"')
    given = {"PIP_INDEX_URL": "http://localhost:1/simple", "REQUESTS_CA_BUNDLE": "/own.crt"}
    done = run(programs, "make", target, "STACK=tfx-1.21", **given)
    assert done.returncode == 0, done.stderr
    assert "uv: true http://localhost:1/simple /own.crt" in done.stdout
    others = {"UV_SYSTEM_CERTS": "false", "UV_DEFAULT_INDEX": "http://localhost:2/simple"}
    done = run(programs, "make", target, "STACK=tfx-1.21", **given, **others)
    assert "uv: false http://localhost:2/simple /own.crt" in done.stdout


# ---- uv from an index, with no more than a Python ----------------------------------------------
@pytest.fixture
def index(tmp_path):
    """A package index on this machine with one wheel of uv; what it says can be changed."""
    version = re.search(r'VERSION = "(.+)"', FETCH.read_text(encoding="utf-8")).group(1)
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"uv-{version}.data/scripts/uv", "#!/bin/sh\necho the program\n")
    name = f"uv-{version}-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    digest = hashlib.sha256(wheel.getvalue()).hexdigest()
    files = [{"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": digest}}]
    folder = tmp_path / "index"
    (folder / "simple/uv").mkdir(parents=True)
    (folder / "files").mkdir()
    (folder / "simple/uv/index.html").write_text(json.dumps({"files": files}))
    (folder / "files" / name).write_bytes(wheel.getvalue())
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(
        ("localhost", 0), functools.partial(quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://localhost:{server.server_port}/simple", folder / "files" / name
    server.shutdown()


def fetch(tmp_path, index):
    """Without pip: an interpreter that sees the standard library only, and no package of it."""
    hidden = tmp_path / "hidden"
    (hidden / "pip").mkdir(parents=True, exist_ok=True)
    (hidden / "pip/__main__.py").write_text("raise SystemExit(1)")
    environment = {**os.environ, "PIP_INDEX_URL": index, "PYTHONPATH": str(hidden)}
    command = [sys.executable, str(FETCH), str(tmp_path / "uv")]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the index here has x86-64's wheel only")
def test_uv_is_fetched_without_pip(tmp_path, index):
    done = fetch(tmp_path, index[0])
    assert done.returncode == 0, done.stderr
    said = subprocess.run([str(tmp_path / "uv/uv")], capture_output=True, text=True).stdout
    assert said == "the program\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the index here has x86-64's wheel only")
def test_a_wheel_that_is_not_the_indexs_is_refused(tmp_path, index):
    index[1].write_bytes(index[1].read_bytes() + b"more")
    done = fetch(tmp_path, index[0])
    assert done.returncode == 1 and not (tmp_path / "uv").exists()
    assert done.stderr.startswith("mtlx: uv ") and "digest" in done.stderr


def test_an_index_that_does_not_answer_is_one_line(tmp_path):
    done = fetch(tmp_path, "http://localhost:1/simple")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("mtlx: uv ") and "cannot be fetched from the package index" in line


# ---- The locks ---------------------------------------------------------------------------------
LOCKS = {
    "requirements.in": "requirements.txt",
    "requirements-tfx-1.16.in": "requirements-tfx-1.16.txt",
}


def read(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(("given", "lock"), LOCKS.items())
def test_the_lock_has_all_that_is_kept_by_hand(given, lock):
    locked = {one.name.lower(): str(one.specifier) for one in read(lock)}
    overrides = {one.name for one in read(given.replace(".in", "-overrides.txt"))}
    for one in read(given):
        assert str(one.specifier).startswith("=="), one
        if one.name not in overrides:
            assert locked[one.name.lower()] == str(one.specifier), one


def test_both_stacks_have_the_same_packages_kept_by_hand():
    """But for what one of them must name, since its resolver takes the wrong one."""
    new, old = ({one.name for one in read(name)} for name in LOCKS)
    assert new - old == {"tensorboard"}
    held = (ROOT / "requirements-tfx-1.16.in").read_text(encoding="utf-8").split("# Held back")[1]
    assert old - new <= set(re.findall(r"^([\w-]+)==", held, re.M))


def test_versions_in_the_documentation_are_those_of_the_locks():
    text = (ROOT / "docs/stack.md").read_text(encoding="utf-8")
    new, old = ({one.name: str(one.specifier)[2:] for one in read(lock)} for lock in LOCKS.values())
    for label, names in (
        ("TensorFlow, Keras", ("tensorflow", "keras")),
        ("TFMA", ("tensorflow-model-analysis",)),
        ("Apache Beam", ("apache-beam",)),
        ("kfp, kfp-kubernetes", ("kfp", "kfp-kubernetes")),
        ("protobuf, NumPy, pandas", ("protobuf", "numpy", "pandas")),
        ("pyarrow, scikit-learn, LightGBM", ("pyarrow", "scikit-learn", "lightgbm")),
    ):
        cells = [
            ", ".join(dict.fromkeys(versions[name] for name in names)) for versions in (new, old)
        ]
        assert f"| {label} | {cells[0]} | {cells[1]} |" in text
