"""The whole command on the compiler's own package: compile, place the IR, start, wait."""

import hashlib
import re
from pathlib import Path

import pytest
import yaml
from fake_kubeflow import TOKEN, specification

from mtlx.kubeflow.command_line import main
from mtlx.kubeflow.submission import exit_codes, follow_run
from mtlx.kubeflow.submission.run_plan import RunPlan

CONFIG = Path(__file__).parents[3] / "configs/default.yaml"


@pytest.fixture
def file(tmp_path, kubeflow):
    """The default experiment with a cluster whose volume is mounted here."""
    (tmp_path / "volume").mkdir()
    values = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    values["report"] = {}
    values["kubeflow"] = {
        "image": "registry.example.com/mtlx:0.1.0",
        "host": kubeflow.host,
        "settings": {
            "data.path": "/mnt/logs/day=*/*.csv",
            "run.pipeline_root": str(tmp_path / "volume"),
            "serving.push_to": "/mnt/serving/default",
        },
    }
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def test_compiled_placed_started_and_pushed(file, kubeflow, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(follow_run.follow_run.__kwdefaults__, "poll_seconds", 0.02)
    gated = {"trainer": "SUCCEEDED", "rela-imp-gate": "SUCCEEDED"}
    kubeflow.script = [("RUNNING", gated), ("SUCCEEDED", {**gated, "pusher": "SUCCEEDED"})]
    arguments = ["submit", str(file), "--token", TOKEN, "--out", str(tmp_path / "out"), "--wait"]
    assert main(arguments) == exit_codes.EXIT_OK, capsys.readouterr().err
    (placed,) = (tmp_path / "volume" / "ir").iterdir()
    assert hashlib.sha256(placed.read_bytes()).hexdigest() == placed.stem
    (body,) = kubeflow.bodies("/runs")
    assert placed.stem in str(specification(body))
    plan = RunPlan.read((tmp_path / "out/default.yaml").read_text(encoding="utf-8"))
    assert plan.gate == "rela-imp-gate" and plan.pusher == "pusher"
    assert "blessed" in plan.conditions
    assert {"log-example-gen", "trainer", "report"} <= set(plan.tasks)


def test_a_volume_that_is_not_here_has_to_be_copied_to(file, kubeflow, tmp_path, capsys):
    override = "kubeflow.settings={data.path: /mnt/logs/*.csv, run.pipeline_root: /mnt/no-volume, serving.push_to: /mnt/serving}"
    arguments = ["submit", str(file), "--token", TOKEN, "--out", str(tmp_path), "--set", override]
    assert main(arguments) == exit_codes.EXIT_WRONG_INPUT
    error = capsys.readouterr().err
    (compiled,) = (tmp_path / "ir").iterdir()
    assert f"from {compiled}" in error and f"to   /mnt/no-volume/ir/{compiled.name}" in error
    assert not kubeflow.requests
    assert main([*arguments, "--ir-in-place"]) == exit_codes.EXIT_OK
    assert kubeflow.bodies("/runs")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.network=mmoo", "model.network: .*mmoo.*did you mean"),
        ("model.options={experst: 3}", "model: .*experst"),
        ("training.loss=focale", "training.loss: .*focale"),
        ("data.options={separatr: x}", "data.options: .*separatr"),
    ],
)
def test_unknown_options_are_refused_before_anything_is_sent(
    file, kubeflow, capsys, override, message
):
    assert main(["submit", str(file), "--set", override]) == exit_codes.EXIT_WRONG_INPUT
    error = capsys.readouterr().err
    assert re.search(message, error), error
    assert "Traceback" not in error and not kubeflow.requests


def test_an_experiment_without_an_image_is_refused(file, kubeflow, capsys):
    assert main(["submit", str(file), "--set", "kubeflow.image="]) == exit_codes.EXIT_WRONG_INPUT
    assert "kubeflow.image" in capsys.readouterr().err
    assert not kubeflow.requests
