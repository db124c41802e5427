"""Runs the tasks of a package in the order of its dependencies, independent ones in parallel."""

import concurrent.futures
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.rehearsal.condition import holds
from mtlx.kubeflow.rehearsal.package import Package, runs_after_failures
from mtlx.kubeflow.rehearsal.retry_policy import RetryPolicy
from mtlx.kubeflow.rehearsal.task_inputs import executor_input, resolve_inputs
from mtlx.kubeflow.rehearsal.task_process import Attempt, AttemptFailed, Processes, run_attempt
from mtlx.kubeflow.rehearsal.task_run import TaskRun

#: What is kept of a task that is done, so that a resumed run takes it over.
TASK_FILE = "task.json"


class Scheduler:
    """Runs a package's tasks.

    Args:
        package: the package.
        run_id: of the run.
        folder: of the run; every task has a folder in it, every attempt one in that.
        environment: variables for the metadata server.
        workers: processes at the same time.
        on_task: is told of every task's start, retry and end; one call at a time.
        on_progress: is given a task's name and a line of its output; one call at a time.
        retry_policy: which ended attempts are repeated, as often as the package says.
    """

    def __init__(
        self,
        package: Package,
        run_id: str,
        folder: Path,
        environment: Mapping[str, str],
        workers: int,
        on_task: Callable[[TaskRun], None] = lambda task: None,
        on_progress: Callable[[str, str], None] = lambda name, line: None,
        retry_policy: RetryPolicy = RetryPolicy.ALWAYS,
    ) -> None:
        self._package, self._run_id, self._folder = package, run_id, folder
        self._environment = environment
        self._on_task, self._on_progress = on_task, on_progress
        self._retry_policy = retry_policy
        self._places = threading.Semaphore(workers)
        self._telling = threading.Lock()
        self._processes = Processes()
        self._stopped = threading.Event()
        self._tasks: list[TaskRun] = []

    def run(self, parameters: Mapping[str, Any]) -> list[TaskRun]:
        """Runs all tasks; a failed one blocks those after it only, and no exit task.

        Args:
            parameters: of the run; others have the pipeline's defaults.

        Returns:
            The tasks in the order in which they ended.

        Raises:
            KeyError: the pipeline has no such parameter.
        """
        declared = self._package.spec.root.input_definitions.parameters
        unknown = [name for name in parameters if name not in declared]
        if unknown:
            raise KeyError(f"no parameter {unknown[0]!r}. Known: {', '.join(sorted(declared))}")
        empty = pipeline_spec_pb2.PipelineTaskSpec()
        values = resolve_inputs(empty, self._package.spec.root, {}, {}, self._run_id)
        try:
            self._run_dag(self._package.spec.root.dag, {**values, **parameters})
        finally:
            self.stop()
        return self._tasks

    def stop(self) -> None:
        """Kills what runs, and starts nothing more."""
        self._stopped.set()
        self._processes.stop()

    def _run_dag(self, dag: pipeline_spec_pb2.DagSpec, inputs: Mapping[str, Any]) -> bool:
        """Runs a group's tasks as soon as those before them are done; whether all went well."""
        waiting = dict(dag.tasks.items())
        ended: dict[str, bool] = {}
        blocked: set[str] = set()
        outputs: dict[str, Mapping[str, Any]] = {}
        running: dict[concurrent.futures.Future[TaskRun | bool], str] = {}
        with concurrent.futures.ThreadPoolExecutor(max(1, len(waiting))) as pool:
            try:
                while waiting or running:
                    for name in [name for name, task in waiting.items() if _is_ready(task, ended)]:
                        task = waiting.pop(name)
                        if not _may_run(task, ended, blocked):
                            self._block(name, task)
                            ended[name] = False
                            blocked.add(name)
                            continue
                        future = pool.submit(self._run_task, name, task, inputs, dict(outputs))
                        running[future] = name
                    if not running:
                        continue
                    done, _ = concurrent.futures.wait(
                        running, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    for future in done:
                        name, result = running.pop(future), future.result()
                        ended[name] = result if isinstance(result, bool) else _went_well(result)
                        outputs[name] = {} if isinstance(result, bool) else result.parameters
            except BaseException:
                # The pool waits for its threads, and they for their processes.
                self.stop()
                raise
        return all(ended.values())

    def _run_task(
        self,
        name: str,
        task: pipeline_spec_pb2.PipelineTaskSpec,
        parent: Mapping[str, Any],
        outputs: Mapping[str, Mapping[str, Any]],
    ) -> TaskRun | bool:
        """A task's end; for a group, whether all in it went well."""
        component = self._package.spec.components[task.component_ref.name]
        inputs = resolve_inputs(task, component, parent, outputs, self._run_id)
        if not holds(task.trigger_policy.condition, inputs):
            for inner in self._package.tasks_below(name, task):
                self._tell(TaskRun(*inner, "skipped"), last=True)
            return True
        if component.WhichOneof("implementation") == "dag":
            return self._run_dag(component.dag, inputs)
        start = TaskRun(name, self._package.node_id(name, task), "running")
        kept = self._folder / name / TASK_FILE
        # What was told of an earlier end of a resumed run says nothing of this one.
        is_last = runs_after_failures(task)
        if kept.exists():
            run = TaskRun(**json.loads(kept.read_text(encoding="utf-8")))
        else:
            with self._places:
                run = self._attempts(start, task, component, inputs)
            if run.done and not is_last:
                kept.write_text(json.dumps(dataclasses.asdict(run)), encoding="utf-8")
        return self._tell(run, last=True)

    def _attempts(
        self,
        run: TaskRun,
        task: pipeline_spec_pb2.PipelineTaskSpec,
        component: pipeline_spec_pb2.ComponentSpec,
        inputs: Mapping[str, Any],
    ) -> TaskRun:
        """Runs the task's process until it succeeds or the package allows no more retries.

        The back-off's longest time is a window from the first attempt's start, as Argo has it:
        after it nothing is retried, and a retried process is killed at its end.
        """
        policy = task.retry_policy
        pause = policy.backoff_duration.ToTimedelta().total_seconds()
        window = policy.backoff_max_duration.ToTimedelta().total_seconds() or 3600.0
        started = time.monotonic()
        while True:
            run = dataclasses.replace(run, attempts=run.attempts + 1)
            self._tell(dataclasses.replace(run, state="running"))
            try:
                left = None if run.attempts == 1 else started + window - time.monotonic()
                attempt = self._attempt(run.name, component, inputs, left)
            except AttemptFailed as error:
                seconds, lost = time.monotonic() - started, error.lost
                run = dataclasses.replace(run, seconds=seconds, problem=str(error))
            else:
                seconds = time.monotonic() - started
                return dataclasses.replace(
                    run,
                    state=attempt.state,
                    seconds=seconds,
                    parameters=attempt.output["parameterValues"],
                    uris=attempt.uris,
                    problem="",
                )
            if run.attempts > policy.max_retry_count or self._stopped.is_set():
                return dataclasses.replace(run, state="failed")
            if not self._retry_policy.repeats(lost):
                return _given_up(run, f"the policy {self._retry_policy.value} repeats no such end")
            if seconds + pause > window:
                return _given_up(run, f"their {window:.0f} s are over")
            self._tell(dataclasses.replace(run, state="retrying"))
            self._stopped.wait(pause)
            pause *= policy.backoff_factor or 2.0

    def _attempt(
        self,
        name: str,
        component: pipeline_spec_pb2.ComponentSpec,
        inputs: Mapping[str, Any],
        seconds: float | None,
    ) -> Attempt:
        """Runs the task's process once, for these seconds and the pod's deadline at most."""
        label = component.executor_label
        limits = [one for one in (seconds, self._package.timeouts.get(label)) if one is not None]
        # Attempts of the run that is resumed count on.
        number = 1 + len(list((self._folder / name).glob("attempt-*")))
        folder = self._folder / name / f"attempt-{number}"
        return run_attempt(
            component,
            self._package.containers[label],
            executor_input(component, inputs, folder),
            folder,
            self._environment,
            self._processes,
            lambda line: self._progress(name, line),
            max(0.0, min(limits)) if limits else None,
        )

    def _block(self, name: str, task: pipeline_spec_pb2.PipelineTaskSpec) -> None:
        for inner in self._package.tasks_below(name, task):
            self._tell(TaskRun(*inner, "blocked"), last=True)

    def _tell(self, run: TaskRun, last: bool = False) -> TaskRun:
        with self._telling:
            if last:
                self._tasks.append(run)
            self._on_task(run)
        return run

    def _progress(self, name: str, line: str) -> None:
        with self._telling:
            self._on_progress(name, line)


def _given_up(run: TaskRun, why: str) -> TaskRun:
    problem = f"{run.problem}\nNo further retry: {why}"
    return dataclasses.replace(run, state="failed", problem=problem)


def _is_ready(task: pipeline_spec_pb2.PipelineTaskSpec, ended: Mapping[str, bool]) -> bool:
    return all(before in ended for before in task.dependent_tasks)


def _may_run(
    task: pipeline_spec_pb2.PipelineTaskSpec, ended: Mapping[str, bool], blocked: set[str]
) -> bool:
    """Whether those before a task ended as it needs; an exit task needs that they ran."""
    if runs_after_failures(task):
        return not blocked.intersection(task.dependent_tasks)
    return all(ended[before] for before in task.dependent_tasks)


def _went_well(run: TaskRun) -> bool:
    return run.done or run.state == "skipped"
