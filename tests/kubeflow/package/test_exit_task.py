"""The exit task: there where somebody is told, with nothing secret, and refused where it is mute."""

import json

import pytest
import yaml

from mtlx.kubeflow.package.compiler import PackageRefused, compile_package
from mtlx.kubeflow.submission.run_plan import RunPlan
from mtlx.kubeflow.submission.run_verdict import RunEnd, run_end
from mtlx.pipeline.experiment.experiment_file import read_experiment

ADDRESS = "https://hooks.example.com/T0KEN"
SECRET = "kubeflow.nodes.TellEnd={memory: 3Gi, secrets: [{name: hook, env: {url: %s}}]}"


def _compiled(golden_folder, *overrides, **options):
    experiment = read_experiment(golden_folder / "experiment.yaml", overrides)
    return compile_package(experiment, **options).pipeline_yaml


@pytest.fixture(scope="module")
def text(golden_folder):
    """The package of an experiment that tells a webhook and notes runs in MLflow."""
    return _compiled(
        golden_folder,
        f"notify={{webhook: '{ADDRESS}', events: [failed]}}",
        "tracking={mlflow: 'https://mlflow.example.com'}",
        "kubeflow.host=https://kubeflow.example.com/pipeline",
        SECRET % "MTLX_NOTIFY_WEBHOOK",
    )


def test_it_runs_when_all_others_are_over_and_finds_the_address_in_a_secret(text, package):
    specification, platform = yaml.safe_load_all(text)
    tasks = specification["root"]["dag"]["tasks"]
    assert set(tasks) == {"exit-handler-1", "tell-end"}
    task = tasks["tell-end"]
    assert task["dependentTasks"] == ["exit-handler-1"]
    assert task["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert not task["cachingOptions"]
    # No status of the group is asked for: 2.5 refuses that.
    (given,) = task["inputs"]["parameters"].values()
    assert given == {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    inner = specification["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    before = next(yaml.safe_load_all(package.pipeline_yaml))["root"]["dag"]["tasks"]
    # kfp counts groups: the one around Pusher is the second now.
    assert set(inner) - {"condition-2"} == set(before) - {"condition-1"}
    container = specification["deploymentSpec"]["executors"]["exec-tell-end"]["container"]
    assert container["command"] == ["python", "-m", "mtlx.kubeflow.task.exit_entry"]
    assert container["resources"]["resourceMemoryLimit"] == "3Gi"
    (telling,) = [one for one in container["args"] if one.startswith("--telling=")]
    assert json.loads(telling.removeprefix("--telling=")) == {
        "notify": {"webhook": "env:MTLX_NOTIFY_WEBHOOK", "events": ["failed"]},
        "tracking": {"mlflow": "https://mlflow.example.com"},
        "folder": None,
        "host": "https://kubeflow.example.com/pipeline",
    }
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    secret = executors["exec-tell-end"]["secretAsEnv"][-1]
    # Newer SDKs write the name a second time, as a parameter.
    assert secret["secretName"] == "hook"
    assert secret["keyToEnv"] == [{"secretKey": "url", "envVar": "MTLX_NOTIFY_WEBHOOK"}]
    assert "T0KEN" not in text


@pytest.mark.parametrize(
    "overrides",
    [
        (f"notify={{webhook: '{ADDRESS}', events: []}}",),
        (f"notify={{webhook: '{ADDRESS}'}}", "kubeflow.settings={notify.events: []}"),
    ],
)
def test_where_nobody_is_told_the_package_is_the_same_as_without(golden_folder, package, overrides):
    settings = yaml.safe_load((golden_folder / "experiment.yaml").read_text(encoding="utf-8"))
    own = settings["kubeflow"]["settings"]
    changed = [
        text.replace("{notify", json.dumps(own)[:-1] + ", notify") if "settings=" in text else text
        for text in overrides
    ]
    assert _compiled(golden_folder, *changed) == package.pipeline_yaml


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            (f"notify={{webhook: '{ADDRESS}'}}",),
            "notify.webhook is written out, which the package never holds: the task TellEnd finds "
            "no variable MTLX_NOTIFY_WEBHOOK",
        ),
        (("notify={webhook: 'env:HOOK'}",), "notify.webhook: the task TellEnd finds no variable"),
        (
            ("notify={webhook: 'env:HOOK'}", SECRET % "OTHER"),
            "notify.webhook: the task TellEnd finds no variable HOOK",
        ),
        (("notify={command: [./tell.sh]}",), "notify.command: './tell.sh' is relative"),
        ((SECRET % "HOOK",), "kubeflow.nodes.TellEnd: no node of this pipeline"),
    ],
)
def test_a_task_that_could_tell_nobody_is_refused(golden_folder, overrides, message):
    with pytest.raises(PackageRefused) as caught:
        _compiled(golden_folder, *overrides)
    assert message in str(caught.value) and "T0KEN" not in str(caught.value)


def test_a_package_for_this_machine_may_start_a_program_of_the_experiments_folder(golden_folder):
    text = _compiled(golden_folder, "notify={command: [./tell.sh]}", for_cluster=False)
    assert json.dumps(str(golden_folder)) in text


def test_the_group_of_all_tasks_does_not_say_that_a_model_was_pushed(text, package):
    """A backend that lists no skipped tasks lists the group, which went well."""
    plan = RunPlan.read(text)
    assert set(plan.tasks) == {*RunPlan.read(package.pipeline_yaml).tasks, "tell-end"}
    assert plan.conditions == ("condition-2", "blessed")
    details = [_Detail("nodes"), _Detail("exit-handler-1"), _Detail("rela-imp-gate")]
    run = type("Run", (), {"state": "SUCCEEDED"})()
    run.run_details = type("Details", (), {"task_details": details})()
    assert run_end(run, plan) is RunEnd.NOT_BLESSED


class _Detail:
    """A task as the API lists it."""

    state, start_time, create_time, end_time, error = "SUCCEEDED", None, None, None, None

    def __init__(self, name):
        self.display_name = name
