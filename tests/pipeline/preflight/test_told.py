"""What would keep a run's end from being told is refused before the run."""

import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.preflight.told import telling_problems

EXPERIMENT = """name: told
data: {path: /logs/*.csv, split: {by: time, column: day, test_from: 2024-01-08}}
features: {item: {kind: categorical}}
tasks: {click: {label: click}}
model: {preset: ple}
"""


@pytest.fixture
def problems(tmp_path):
    def function(section):
        path = tmp_path / "experiment.yaml"
        path.write_text(EXPERIMENT + section, encoding="utf-8")
        return telling_problems(read_experiment(path))

    return function


def test_a_program_that_is_not_there(problems, tmp_path):
    (problem,) = problems("notify: {command: [./tell.sh]}\n")
    assert problem.startswith("notify.command: there is no program './tell.sh' that can be started")
    program = tmp_path / "tell.sh"
    program.write_text("#!/bin/sh\n")
    assert problems("notify: {command: [./tell.sh]}\n")  # nobody may start it
    program.chmod(0o755)
    assert problems("notify: {command: [./tell.sh]}\n") == []
    assert problems("notify: {command: [sh, -c, 'exit 0']}\n") == []
    assert problems("notify: {command: [no-such-program-at-all]}\n")


def test_a_variable_that_is_not_set_or_holds_no_address(problems, monkeypatch):
    section = "notify: {webhook: env:HOOK_OF_A_TEST}\n"
    monkeypatch.delenv("HOOK_OF_A_TEST", raising=False)
    assert "HOOK_OF_A_TEST is not set" in problems(section)[0]
    monkeypatch.setenv("HOOK_OF_A_TEST", "T0KEN")
    (problem,) = problems(section)
    assert "holds no address" in problem and "T0KEN" not in problem
    monkeypatch.setenv("HOOK_OF_A_TEST", "https://example.com/T0KEN")
    assert problems(section) == []


def test_mlflow_that_is_not_installed(problems, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (problem,) = problems("tracking: {mlflow: 'https://mlflow.example.com'}\n")
    assert problem.endswith("pip install mlflow-skinny")
