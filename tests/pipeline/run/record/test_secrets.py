"""Nothing that a run keeps holds the address of a webhook."""

import json

import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.preflight.told import telling_problems
from mtlx.pipeline.run.record.run_record import ExperimentSource, describe_run, keep_experiment

SECRET = "T0KEN"
ADDRESS = f"https://hooks.example.com/services/{SECRET}"
TEXT = """name: told
data: {path: /logs/*.csv, split: {by: time, column: day, test_from: 2024-01-08}}
features: {item: {kind: categorical}}
tasks: {click: {label: click}}
model: {preset: ple}
"""

WRITTEN = {
    "plainly": (f"notify: {{webhook: '{ADDRESS}'}}\n", ()),
    "with escapes": ('notify: {webhook: "' + ADDRESS.replace("T", "\\u0054") + '"}\n', ()),
    "over two lines": ('notify:\n  webhook: "' + ADDRESS.replace("/ser", "/\\\n    ser") + '"\n', ()),
    "on the command line": ("", (f"notify.webhook={ADDRESS}",)),
    "as a section on the command line": ("", (f"notify={{webhook: '{ADDRESS}', events: [failed]}}",)),
    "for the cluster": (f"kubeflow: {{settings: {{notify.webhook: '{ADDRESS}'}}}}\n", ()),
}  # fmt: skip


@pytest.mark.parametrize("way", WRITTEN)
def test_no_file_of_a_run_has_it(tmp_path, way):
    text, overrides = WRITTEN[way]
    path = tmp_path / "experiment.yaml"
    path.write_text(TEXT + text, encoding="utf-8")
    experiment = read_experiment(path, overrides)
    if "cluster" not in way:
        assert experiment.notify.webhook == ADDRESS  # the run itself has it
    source = ExperimentSource.read(str(path), overrides)
    folder = tmp_path / "run"
    keep_experiment(folder, experiment, source)
    record = json.dumps(describe_run(experiment, source))
    kept = [record, *(file.read_text(encoding="utf-8") for file in folder.iterdir())]
    assert len(kept) == 3
    for content in kept:
        assert SECRET not in content and "services" not in content
    assert SECRET not in experiment.as_written()
    # What is kept is an experiment that says which variable it lacks.
    again = read_experiment(folder / "experiment.yaml")
    if "cluster" not in way:
        (problem,) = telling_problems(again)
        assert "MTLX_NOTIFY_WEBHOOK is not set" in problem


def test_without_secrets_the_file_is_kept_to_the_letter(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(TEXT + "notify: {webhook: env:HOOK}  # ours\n", encoding="utf-8")
    source = ExperimentSource.read(str(path))
    keep_experiment(tmp_path / "run", read_experiment(path), source)
    kept = tmp_path / "run" / "experiment.given.yaml"
    assert kept.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


WRONG = {
    "notify": f"notify: {ADDRESS}\n",
    "a list": f"notify: {{webhook: ['{ADDRESS}']}}\n",
    "another scheme": f"notify: {{webhook: 'ftp{ADDRESS[5:]}'}}\n",
    "no scheme": f"notify: {{webhook: '{ADDRESS[8:]}'}}\n",
    "a wrong neighbour": f"notify: {{webhook: '{ADDRESS}', timeout_seconds: 0}}\n",
}


@pytest.mark.parametrize("way", WRONG)
def test_no_error_shows_it(tmp_path, way):
    path = tmp_path / "experiment.yaml"
    path.write_text(TEXT + WRONG[way], encoding="utf-8")
    with pytest.raises(ExperimentFileError) as caught:
        read_experiment(path)
    assert "notify" in str(caught.value) and SECRET not in str(caught.value)


@pytest.mark.parametrize("value", [f"ftp{ADDRESS[5:]}", f"[{ADDRESS}", f"{{a: {ADDRESS}}}"])
def test_no_error_of_the_command_line_shows_it(tmp_path, value):
    path = tmp_path / "experiment.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(ExperimentFileError) as caught:
        read_experiment(path, [f"notify.webhook={value}"])
    assert "--set notify.webhook=" in str(caught.value) and SECRET not in str(caught.value)
