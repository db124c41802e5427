"""What is repeated inside a task, and what by the backend, under each policy that it may have."""

import itertools
import json

import pytest
from kfp import compiler, dsl

from mtlx.kubeflow.rehearsal.package import Package
from mtlx.kubeflow.rehearsal.retry_policy import RetryPolicy
from mtlx.kubeflow.rehearsal.scheduler import Scheduler

#: A task that retries as those of nodes do; it ends as the next letter of a file says.
SCRIPT = """
import os, pathlib, signal, sys
from mtlx.kubeflow.task.retries import EARLIER, Retries, restart_program
marks, given = pathlib.Path(sys.argv[1]), sys.argv[2]
ends = marks / 'ends'
def work():
    with open(marks / 'attempts', 'a') as file:
        file.write(f'{os.getpid()} {os.environ.get(EARLIER, "")}' + chr(10))
    left = ends.read_text()
    ends.write_text(left[1:])
    if left[:1] == 't':
        raise ConnectionResetError('the store went away')
    if left[:1] == 'v':
        raise ValueError('the settings are wrong')
    if left[:1] == 'k':
        os.kill(os.getpid(), signal.SIGKILL)
    if left[:1] == 'd':
        os.kill(os.getpid(), signal.SIGTERM)
Retries.read(2, 0.0, os.environ, restart_program).run('Trainer', work)
"""


@dsl.container_component
def work(marks: str):
    return dsl.ContainerSpec(
        image="x",
        command=["python", "-c", SCRIPT],
        args=[marks, dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER],
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """One task, whose pod the backend may repeat once."""

    @dsl.pipeline(name="small")
    def pipeline(marks: str):
        work(marks=marks).set_retry(1, "0s", 2.0, "600s")

    path = tmp_path_factory.mktemp("package") / "small.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return Package.read(path)


@pytest.fixture
def rehearse(package, tmp_path):
    """Runs the task, with an end per attempt, under a policy; returns its state and log."""

    def run(ends, policy):
        (tmp_path / "ends").write_text(ends)
        scheduler = Scheduler(package, "run", tmp_path / "run", {}, 1, retry_policy=policy)
        (task,) = scheduler.run({"marks": str(tmp_path)})
        log = "".join(path.read_text() for path in sorted(tmp_path.glob("run/*/*/output.txt")))
        attempts = [line.split(" ", 1) for line in (tmp_path / "attempts").read_text().splitlines()]
        return task, log, attempts

    return run


@pytest.mark.parametrize("policy", RetryPolicy)
def test_what_passes_is_tried_again_in_its_pod_whatever_the_policy(rehearse, policy):
    task, log, attempts = rehearse("tt", policy)
    assert (task.state, task.attempts) == ("finished", 1)
    # A program anew each time, in one process: nothing but the reasons is handed on.
    assert len({pid for pid, _ in attempts}) == 1
    assert [len(json.loads(reasons or "[]")) for _, reasons in attempts] == [0, 1, 2]
    reason = "ConnectionResetError: the store went away"
    assert json.loads(attempts[-1][1]) == [reason, reason]
    assert f"Trainer: attempt 1 of 3 failed by what may pass ({reason}); again in 0 s" in log


def test_what_does_not_pass_is_bounded_and_said(rehearse):
    task, log, attempts = rehearse("tttttt", RetryPolicy.ON_ERROR)
    assert task.state == "failed" and len(attempts) == 3
    assert "Trainer: attempt 3, the last one, failed: ConnectionResetError" in log
    assert "ConnectionResetError: the store went away" in task.problem


def test_what_is_wrong_is_not_tried_again_in_its_pod(rehearse):
    task, _, attempts = rehearse("vvvv", RetryPolicy.ON_ERROR)
    assert task.state == "failed" and len(attempts) == 1


#: Ends of a pod that are failures to Argo, and those that are errors.
FAILURES, LOST = ("v", "k"), ("d",)


@pytest.mark.parametrize(("end", "policy"), itertools.product((*FAILURES, *LOST), RetryPolicy))
def test_what_the_backend_repeats_is_its_policys(rehearse, end, policy):
    """A wrong setting, a memory kill; a pod that was deleted. The second pod would go well."""
    task, _, attempts = rehearse(end, policy)
    repeated = policy is RetryPolicy.ALWAYS or (
        policy is (RetryPolicy.ON_FAILURE if end in FAILURES else RetryPolicy.ON_ERROR)
    )
    assert len(attempts) == task.attempts == (2 if repeated else 1)
    assert task.state == ("finished" if repeated else "failed")
    if not repeated:
        assert f"No further retry: the policy {policy.value} repeats no such end" in task.problem
