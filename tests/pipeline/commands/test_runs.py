"""``mtlx runs``: three forms of the same, without TensorFlow."""

import json
import subprocess
import sys

import pytest

from benchmarks.runs_history import fabricate
from mtlx.pipeline import command_line
from mtlx.pipeline.run.run_folder import RunFolder

EXPERIMENT = "configs/default.yaml"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A hundred days, among them some that failed, were stopped or killed."""
    root = tmp_path_factory.mktemp("root")
    fabricate(root, 100)
    return root


def _runs(root, *further):
    return command_line.main(["runs", EXPERIMENT, "--set", f"run.pipeline_root={root}", *further])


def test_the_table_has_a_line_per_run(root, capsys):
    assert _runs(root) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 100 and "click AUC" in title
    assert "failed at Trainer" in lines[20] and "stopped at Transform" in lines[30]
    assert "killed" in lines[50] and "not blessed" in lines[4]
    assert "2026-04-10, trained on 7 spans" in lines[99]


def test_the_last_runs_alone(root, capsys):
    assert _runs(root, "--last", "3") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert _runs(root, "--last", "0") == command_line.EXIT_WRONG_INPUT
    assert "--last: at least 1" in capsys.readouterr().err


def test_json_has_all_that_is_known(root, capsys):
    assert _runs(root, "--json") == 0
    runs = json.loads(capsys.readouterr().out)
    assert len(runs) == 100 and runs[0]["outcome"] == "blessed"
    value, lower, upper = runs[0]["auc"]["click"]
    assert lower < value < upper
    assert runs[0]["spans"]["test"] == [20_454]  # the first of January


def test_the_page_lies_in_the_root_or_where_it_is_asked_for(root, tmp_path, capsys):
    assert _runs(root, "--html") == 0
    assert f"100 runs: {root / 'runs.html'}" in capsys.readouterr().out
    assert "default: runs over time" in (root / "runs.html").read_text(encoding="utf-8")
    assert _runs(root, "--html", str(tmp_path / "page.html")) == 0
    assert (tmp_path / "page.html").exists()
    capsys.readouterr()
    assert _runs(root, "--html", str(tmp_path / "no" / "page.html")) == command_line.EXIT_FAILED
    assert "page.html: No such file" in capsys.readouterr().err


def test_before_any_run_it_says_what_to_do(tmp_path, capsys):
    assert _runs(tmp_path) == command_line.EXIT_WRONG_INPUT
    assert "default has no run: mtlx run configs/default.yaml" in capsys.readouterr().err


def test_neither_tensorflow_nor_the_long_records_are_read(root):
    """Both would take longer than all the rest."""
    hidden = [folder.path / "run.json" for folder in RunFolder.all(root)]
    code = (
        "import builtins, json, sys\n"
        "from mtlx.pipeline.command_line import main\n"
        "from mtlx.pipeline.run.run_folder import RunFolder\n"
        "RunFolder.read_record = lambda self: sys.exit(f'{self.path} was read') "
        "if (self.path / 'run.json').exists() else self.path.joinpath('run.json').read_text()\n"
        "assert main(sys.argv[1:]) == 0\n"
        "heavy = {'tensorflow', 'tfx', 'apache_beam', 'keras', 'pandas', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    assert sum(path.exists() for path in hidden) > 90
    command = ["runs", EXPERIMENT, "--set", f"run.pipeline_root={root}"]
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
