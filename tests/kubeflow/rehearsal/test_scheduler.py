"""The interpreter of packages, with packages that kfp compiles and tasks that need no TFX."""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from kfp import compiler, dsl
from kfp.dsl import Artifact, Output

from mtlx.kubeflow.rehearsal.package import Package, PackageNotRunnable
from mtlx.kubeflow.rehearsal.scheduler import Scheduler

#: A task: notes when it ran, fails while a file says so, and writes outputs as the launcher reads.
SCRIPT = """
import json, os, sys, time
name, marks, run_id, text, given = sys.argv[1:]
given = json.loads(given)
def note(what):
    with open(os.path.join(marks, 'notes'), 'a') as file:
        file.write(json.dumps([name, what, time.time(), os.getpid(), run_id, text]) + chr(10))
note('start')
print(f'{name} at work', flush=True)
fail = os.path.join(marks, 'fail-' + name)
if os.path.exists(fail):
    if open(fail).read() == 'hang':
        time.sleep(60)
    print('broken ' + os.environ['COLOUR'], file=sys.stderr)
    sys.exit(4)
time.sleep(0.3)
assert os.getcwd() != marks and os.environ.get('TFX_MLMD_HOST') == 'here', os.environ
outputs = given['outputs']
with open(os.environ['MTLX_OUTCOME_FILE'], 'w') as file:
    json.dump({'state': 'cached', 'uris': {'model': ['/m', '/n']}}, file)
artifacts = {'summary': {'artifacts': [{'name': 'summary', 'uri': 'x', 'metadata': {}}]}}
with open(outputs['outputFile'], 'w') as file:
    json.dump({'artifacts': artifacts}, file)
for parameter in outputs['parameters'].values():
    with open(parameter['outputFile'], 'w') as file:
        file.write(json.dumps(not os.path.exists(os.path.join(marks, 'refuse'))))
note('end')
"""


def _arguments(name, marks, run_id, text):
    return [name, marks, run_id, text, dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER]


@dsl.container_component
def work(name: str, marks: str, run_id: str, text: str, summary: Output[Artifact]):
    return dsl.ContainerSpec(
        image="x", command=["python", "-c", SCRIPT], args=_arguments(name, marks, run_id, text)
    )


@dsl.container_component
def gate(
    name: str, marks: str, run_id: str, text: str, summary: Output[Artifact],
    blessed: dsl.OutputPath(bool),
):  # fmt: skip
    return dsl.ContainerSpec(
        image="x", command=["python", "-c", SCRIPT], args=_arguments(name, marks, run_id, text)
    )


def _small(folder, with_exit):
    @dsl.pipeline(name="small")
    def pipeline(marks: str, text: str = "as compiled"):
        def add(name, component=work):
            task = component(
                name=name, marks=marks, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, text=text
            )
            task.set_display_name(name.title())
            return task.set_env_variable("COLOUR", "blue")

        with dsl.ExitHandler(add("last")) if with_exit else contextlib.nullcontext():
            first = add("first")
            left, right = add("left"), add("right")
            left.after(first).set_retry(2, "0s", 2.0, "600s")
            right.after(first)
            judge = add("judge", gate).after(left, right)
            with dsl.If(judge.outputs["blessed"] == True, "blessed"):  # noqa: E712
                add("pusher")

    path = folder / "small.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return Package.read(path)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """first -> (left, right) -> gate -> pusher if blessed; left may be retried twice."""
    return _small(tmp_path_factory.mktemp("package"), with_exit=False)


@pytest.fixture(scope="module")
def with_exit_task(tmp_path_factory):
    """The same, and a task that runs when all these are over."""
    return _small(tmp_path_factory.mktemp("package"), with_exit=True)


class Recorder:
    """Runs the package and keeps what it is told."""

    def __init__(self, package, folder, workers=2):
        self.marks = folder / "marks"
        self.marks.mkdir(exist_ok=True)
        self.told, self.lines = [], []
        self.scheduler = Scheduler(
            package, "run-1", folder / "run-1", {"TFX_MLMD_HOST": "here"}, workers,
            self.told.append, lambda name, line: self.lines.append((name, line)),
        )  # fmt: skip

    def run(self, **parameters):
        tasks = self.scheduler.run({"marks": str(self.marks), **parameters})
        return {task.node_id: task for task in tasks}

    def notes(self):
        lines = (self.marks / "notes").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def starts(self):
        return [note[0] for note in self.notes() if note[1] == "start"]


def test_tasks_run_in_order_and_independent_ones_at_once(package, tmp_path, monkeypatch):
    monkeypatch.setenv("TFX_MLMD_SQLITE", "not for tasks")
    recorder = Recorder(package, tmp_path)
    tasks = recorder.run(text="for this run")
    assert {task.state for task in tasks.values()} == {"cached"}
    assert set(tasks) == {"First", "Left", "Right", "Judge", "Pusher"}
    assert tasks["Left"].uris == {"model": ["/m", "/n"]}
    times = {(name, what): when for name, what, when, *_ in recorder.notes()}
    assert times["first", "end"] < min(times["left", "start"], times["right", "start"])
    assert max(times["left", "start"], times["right", "start"]) < min(
        times["left", "end"], times["right", "end"]
    )
    assert times["judge", "end"] < times["pusher", "start"]
    assert {(note[4], note[5]) for note in recorder.notes()} == {("run-1", "for this run")}
    assert ("work-2", "left at work") in recorder.lines
    assert tasks["Judge"].parameters == {"blessed": True}


def test_one_worker_runs_one_task_at_a_time(package, tmp_path):
    recorder = Recorder(package, tmp_path, workers=1)
    recorder.run()
    order = [(note[0], note[1]) for note in recorder.notes()]
    assert all(order[i] == (order[i][0], "start") for i in range(0, len(order), 2))
    assert all(order[i][0] == order[i + 1][0] for i in range(0, len(order), 2))


def test_a_condition_that_does_not_hold_skips(package, tmp_path):
    recorder = Recorder(package, tmp_path)
    (recorder.marks / "refuse").touch()
    tasks = recorder.run()
    assert tasks["Judge"].parameters == {"blessed": False}
    assert tasks["Pusher"].state == "skipped"
    assert "pusher" not in recorder.starts()


def test_a_killed_task_is_retried(package, tmp_path):
    recorder = Recorder(package, tmp_path)
    hang = recorder.marks / "fail-left"
    hang.write_text("hang")

    def kill():
        while "left" not in (recorder.starts() if (recorder.marks / "notes").exists() else []):
            time.sleep(0.05)
        hang.unlink()
        (pid,) = {note[3] for note in recorder.notes() if note[0] == "left"}
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    tasks = recorder.run()
    killer.join()
    assert tasks["Left"].state == "cached"
    assert tasks["Left"].attempts == 2
    retrying = [task for task in recorder.told if task.state == "retrying"]
    assert [(task.name, task.problem.split(":")[0]) for task in retrying] == [
        ("work-2", "killed by SIGKILL")
    ]


def test_a_failed_task_blocks_those_after_it_and_a_resumed_run_goes_on(package, tmp_path):
    recorder = Recorder(package, tmp_path)
    broken = recorder.marks / "fail-left"
    broken.touch()
    tasks = recorder.run()
    assert (tasks["Left"].state, tasks["Left"].attempts) == ("failed", 3)
    assert tasks["Left"].problem.startswith("exit code 4: broken blue\nLog: ")
    assert tasks["Right"].done
    assert tasks["Judge"].state == tasks["Pusher"].state == "blocked"
    broken.unlink()
    again = Recorder(package, tmp_path)
    resumed = again.run()
    assert all(task.done for task in resumed.values())
    assert sorted(again.starts()) == sorted(
        ["first", "left", "left", "left", "right", "left", "judge", "pusher"]
    )
    assert (tmp_path / "run-1" / "work-2" / "attempt-4").is_dir()


@pytest.mark.parametrize("broken", [None, "refuse", "fail-first", "fail-left", "fail-pusher"])
def test_the_exit_task_runs_last_and_once_however_the_others_ended(
    with_exit_task, tmp_path, broken
):
    recorder = Recorder(with_exit_task, tmp_path)
    if broken is not None:
        (recorder.marks / broken).touch()
    tasks = recorder.run()
    assert tasks["Last"].done and recorder.starts().count("last") == 1
    assert recorder.starts()[-1] == "last"
    failed = [task.node_id for task in tasks.values() if task.state == "failed"]
    assert failed == ([broken.removeprefix("fail-").title()] if "fail" in (broken or "") else [])


def test_the_exit_task_of_a_resumed_run_runs_again(with_exit_task, tmp_path):
    recorder = Recorder(with_exit_task, tmp_path)
    broken = recorder.marks / "fail-first"
    broken.touch()
    recorder.run()
    broken.unlink()
    again = Recorder(with_exit_task, tmp_path)
    assert all(task.done for task in again.run().values())
    assert again.starts().count("last") == 2 and again.starts()[-1] == "last"


def test_stopping_kills_what_runs(package, tmp_path):
    recorder = Recorder(package, tmp_path)
    (recorder.marks / "fail-first").write_text("hang")

    def stop():
        while not (recorder.marks / "notes").exists():
            time.sleep(0.05)
        recorder.scheduler.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    started = time.monotonic()
    tasks = recorder.run()
    stopper.join()
    assert time.monotonic() - started < 20
    assert tasks["First"].state == "failed"
    (note,) = recorder.notes()
    assert not Path(f"/proc/{note[3]}").exists()


def test_an_unknown_parameter_is_refused(package, tmp_path):
    with pytest.raises(KeyError, match="no parameter 'spam'. Known: marks, text"):
        Recorder(package, tmp_path).run(spam="1")


def test_a_pods_deadline_ends_an_attempt(package, tmp_path):
    limited = Package(package.spec, package.containers, {"exec-work": 1, "exec-work-2": 1})
    recorder = Recorder(limited, tmp_path)
    (recorder.marks / "fail-first").write_text("hang")
    tasks = recorder.run()
    assert tasks["First"].problem.startswith("killed by SIGKILL")
    assert tasks["First"].seconds < 20


def _with_policy(package, **policy):
    """The package with another retry policy of the task Left."""
    spec = type(package.spec)()
    spec.CopyFrom(package.spec)
    for name, seconds in policy.items():
        getattr(spec.root.dag.tasks["work-2"].retry_policy, name).FromSeconds(seconds)
    return Package(spec, package.containers, package.timeouts)


def test_nothing_is_retried_after_the_window(package, tmp_path):
    """Whose seconds count from the first attempt's start, as Argo's do."""
    changed = _with_policy(package, backoff_duration=100, backoff_max_duration=90)
    recorder = Recorder(changed, tmp_path)
    (recorder.marks / "fail-left").touch()
    started = time.monotonic()
    tasks = recorder.run()
    assert time.monotonic() - started < 60
    assert (tasks["Left"].state, tasks["Left"].attempts) == ("failed", 1)
    assert "No further retry: their 90 s are over" in tasks["Left"].problem


def test_a_retry_is_killed_at_the_windows_end(package, tmp_path):
    recorder = Recorder(_with_policy(package, backoff_max_duration=6), tmp_path)
    fail = recorder.marks / "fail-left"
    fail.touch()
    recorder.scheduler._on_task = lambda task: task.state == "retrying" and fail.write_text("hang")
    started = time.monotonic()
    tasks = recorder.run()
    assert time.monotonic() - started < 40
    assert (tasks["Left"].state, tasks["Left"].attempts) == ("failed", 2)
    assert tasks["Left"].problem.startswith("killed by SIGKILL")


def test_what_can_not_be_rehearsed_is_refused(tmp_path):
    @dsl.pipeline(name="loop")
    def loop(marks: str):
        with dsl.ParallelFor(["a", "b"]) as item:
            work(name=item, marks=marks, run_id="r", text="t")

    path = tmp_path / "loop.yaml"
    compiler.Compiler().compile(loop, str(path))
    with pytest.raises(PackageNotRunnable, match="is a loop"):
        Package.read(path)
    path.write_text("just: text\n")
    with pytest.raises(PackageNotRunnable, match="no compiled pipeline"):
        Package.read(path)
