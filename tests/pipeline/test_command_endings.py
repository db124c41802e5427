"""How commands end on what is broken: one line, no traceback, and a code that says enough."""

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.pipeline.catalogue import catalogue
from mtlx.pipeline.command_line import EXIT_FAILED, EXIT_UNREAD, EXIT_WRONG_INPUT, Command, main
from mtlx.pipeline.commands import score
from mtlx.pipeline.commands.command import in_a_line
from mtlx.pipeline.process import heavy_imports

EXPERIMENT = Path(__file__).parents[2] / "configs/default.yaml"


def _ended(capsys, *arguments):
    """Exit code and the line that was said."""
    code = main([str(argument) for argument in arguments])
    (line,) = capsys.readouterr().err.splitlines()
    return code, line


@pytest.fixture
def root(tmp_path):
    """A pipeline root with a run, and the options that name it."""
    folder = tmp_path / "größer als" / "root"
    run = folder / "runs" / "20260101-000000"
    run.mkdir(parents=True)
    (folder / "runs" / "latest").symlink_to(run.name)
    return run, ["--set", f"run.pipeline_root={folder}"]


@pytest.mark.parametrize("command", ["report", "schema"])
@pytest.mark.parametrize("record", [b'{"run_id": ', b"\xff\xfe", b"[1]"])
def test_a_damaged_record_is_named(root, capsys, command, record):
    run, options = root
    (run / "run.json").write_bytes(record)
    code, line = _ended(capsys, command, EXPERIMENT, *options)
    assert code == EXIT_FAILED
    assert "latest/run.json is no record of a run (" in line and line.endswith(": run again")


@pytest.mark.parametrize("command", ["report", "schema"])
def test_a_record_that_is_gone_is_named(root, capsys, command):
    _, options = root
    code, line = _ended(capsys, command, EXPERIMENT, *options)
    assert code == EXIT_FAILED and line.endswith("latest/run.json: No such file or directory")


def test_a_damaged_schema_is_named(root, capsys, tmp_path):
    run, options = root
    (tmp_path / "schema.pbtxt").write_text("feature {{")
    node = f'{{"node_id": "SchemaGen", "outputs": {{"schema": ["{tmp_path}"]}}}}'
    (run / "run.json").write_text(f'{{"nodes": [{node}]}}')
    code, line = _ended(capsys, "schema", EXPERIMENT, *options)
    assert code == EXIT_FAILED and line.startswith(f"{tmp_path}/schema.pbtxt is no schema (1:10")


@pytest.mark.parametrize("command", ["versions", "rollback"])
def test_a_damaged_push_record_is_named(tmp_path, capsys, command):
    extra = tmp_path / "serving/1/assets.extra"
    extra.mkdir(parents=True)
    (extra.parent / "saved_model.pb").touch()
    (extra / "push.json").write_text("{")
    options = ["--set", f"serving.push_to={tmp_path / 'serving'}"]
    options += ["--set", f"run.pipeline_root={tmp_path / 'root'}"]
    code, line = _ended(capsys, command, EXPERIMENT, *options)
    assert code == EXIT_WRONG_INPUT
    assert line.startswith(f"{tmp_path}/serving/1: assets.extra/push.json is not what a push")


def test_a_store_that_is_gone_is_named_before_anything_is_loaded(root, capsys, monkeypatch):
    _, options = root
    monkeypatch.setattr(heavy_imports, "heavy_imports", None)  # which is not called
    code, line = _ended(capsys, "clean", EXPERIMENT, *options)
    assert code == EXIT_FAILED
    assert line.endswith("metadata.sqlite: no metadata store is there; no run was finished in it")


@pytest.mark.parametrize("days", [[], ["--days", "1"]])
def test_a_simulation_on_a_full_disk_leaves_nothing(mount, capsys, days):
    disk = mount("size=16k")
    rows = ["--rows-per-day", "500", *days] if days else ["--rows", "500"]
    code, line = _ended(capsys, "simulate", *rows, "--out", disk / "logs")
    assert code == EXIT_FAILED
    assert "No space left on device" in line and line.endswith("run the command again")
    assert not list(disk.rglob("*.csv"))


def test_scores_that_a_full_disk_refuses_are_no_wrong_input(tmp_path, capsys, monkeypatch):
    for words, code in {
        "[Errno 28] No space left on device": EXIT_FAILED,
        "x.csv:2: column 'a': is no number": EXIT_WRONG_INPUT,
    }.items():

        def refused(*unused, words=words):
            raise InputRefused(words)

        monkeypatch.setattr(score, "_scored", refused)
        given = ["--input", "x.csv", "--output", tmp_path / "scores"]
        ended, line = _ended(capsys, "score", EXPERIMENT, *given)
        assert ended == code and words in line
        assert line.startswith("The disk is full") == (code == EXIT_FAILED)


def test_what_any_command_says_of_a_file(capsys):
    def broken(arguments):
        raise PermissionError(errno.EACCES, "Permission denied", "/some/where")

    command = Command("break", "breaks", "mtlx break", lambda parser: None, broken)
    assert main(["break"], [command]) == EXIT_FAILED
    assert capsys.readouterr().err == "/some/where: Permission denied\n"
    full = in_a_line(OSError(errno.ENOSPC, "No space left on device", b"/some/f\xc3\xbcll"))
    assert full == "/some/füll: No space left on device: make room, and run the command again"


def test_output_that_nobody_reads_to_its_end_is_no_error():
    """As with ``head``: neither a traceback nor Python's own complaint when it ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from mtlx.pipeline.command_line import main\n"
         "sys.stdin.read(); sys.exit(main(['settings']))"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(EXPERIMENT.parents[1])},
    )  # fmt: skip
    process.stdout.close()
    process.stdin.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (EXIT_UNREAD, b"")


def test_what_libraries_say_is_kept_back_while_models_are_described(monkeypatch, capsys):
    at_work, seen = [], []

    @contextlib.contextmanager
    def recorded():
        at_work.append(True)
        yield
        at_work.pop()

    def described(name):
        seen.append(bool(at_work))
        return name

    monkeypatch.setattr(heavy_imports, "heavy_imports", recorded)
    monkeypatch.setattr(catalogue, "describe", described)
    assert main(["models", "mmoe"]) == 0
    assert seen == [True] and capsys.readouterr().out == "mmoe\n"
