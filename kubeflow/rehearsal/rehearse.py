"""A rehearsal: compiles an experiment, and runs the package as Kubeflow Pipelines would."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mtlx.kubeflow.package.exit_task import TELL_END
from mtlx.kubeflow.package.node_component import task_name
from mtlx.kubeflow.rehearsal.package import Package
from mtlx.kubeflow.rehearsal.retry_policy import RetryPolicy
from mtlx.kubeflow.rehearsal.scheduler import Scheduler
from mtlx.kubeflow.rehearsal.task_run import TaskRun
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.process.prompt_stop import at_stop
from mtlx.pipeline.run.finish_run import finish
from mtlx.pipeline.run.record.revision import told_revision
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_record import ExperimentSource, describe_run, keep_experiment
from mtlx.pipeline.run.record.secrets import KeptSecrets
from mtlx.pipeline.run.record.written_bytes import bytes_of_node
from mtlx.pipeline.run.run_folder import METADATA_FILE, RunFolder
from mtlx.pipeline.run.run_lock import run_lock
from mtlx.pipeline.run.run_result import NodeRun, RunResult

_HERE = Path(__file__).resolve().parents[2]
_PARAMETERS, _PACKAGE, _RECORD = "parameters.json", "package.yaml", "record.json"


class RehearsalFailed(RuntimeError):
    """A task failed for good, or there is nothing to resume; the message says what and where."""


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal left.

    Attributes:
        result: as a local run leaves it, without the tasks that were skipped.
        tasks: all tasks, in the order in which they ended.
    """

    result: RunResult
    tasks: list[TaskRun]


def rehearse(
    experiment: Experiment,
    out: Path,
    parameters: Mapping[str, str] | None = None,
    workers: int = 2,
    resume: str | None = None,
    source: ExperimentSource | None = None,
    on_task: Callable[[TaskRun], None] = lambda task: None,
    on_progress: Callable[[str, str], None] = lambda name, line: None,
    retry_policy: RetryPolicy = RetryPolicy.ALWAYS,
) -> Rehearsal:
    """Compiles the experiment for this machine and runs the package, each task a process.

    Args:
        experiment: the validated experiment file.
        out: folder of the rehearsals of this experiment: ``artifacts``, ``metadata.sqlite``,
            ``serving``, ``package`` and ``runs``. What an earlier run there finished with the
            same inputs is taken from TFX's cache.
        parameters: of the pipeline (``data_path``, ``span``, ``run_name``), where they are
            others than the compiled ones.
        workers: tasks at the same time.
        resume: id of an earlier run to go on with, by its own package and parameters.
        source: the file that the experiment was read from, of which the run keeps a copy.
        on_task: is told of every task's start, retry and end.
        on_progress: is given a task's name and a line that it printed.
        retry_policy: which ended attempts the backend would repeat.

    Returns:
        The rehearsal; a candidate that did not pass the gate is a result, not an error.

    Raises:
        PackageRefused: the backend would not take the package.
        PipelineRootInUse: another rehearsal works in this folder.
        RehearsalFailed: a task failed, or there is no run to resume.
    """
    out = out.resolve()
    with run_lock(out):
        folder = RunFolder.of(out, resume or f"rehearsal-{uuid.uuid4()}").path
        if resume is None:
            _prepare(experiment, out, folder, parameters or {})
            keep_experiment(folder, on_this_machine(experiment, out), source)
            record = describe_run(experiment, source)
            (folder / _RECORD).write_text(json.dumps(record), encoding="utf-8")
        elif not (folder / _PACKAGE).exists():
            raise RehearsalFailed(f"--resume {resume}: no such run in {folder.parent}")
        about = folder / _RECORD
        journal = RunJournal(folder, folder.name)
        # A rehearsal that was killed while it was prepared has none.
        record = json.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
        journal.begin(record)
        try:
            with at_stop(journal.stopped):
                secrets = KeptSecrets(experiment).environment
                telling = _Telling(on_progress)
                with told_revision(record.get("git")):
                    tasks = _run_tasks(
                        out, folder, journal, workers, on_task, telling, secrets, retry_policy
                    )
                result = finish(folder.name, _nodes(tasks), folder, journal, experiment)
                return Rehearsal(dataclasses.replace(result, notes=tuple(telling.lines)), tasks)
        except Exception as error:  # of a task that failed, it has been noted where
            journal.failed("before the end", str(error))
            raise


def _run_tasks(
    out: Path,
    folder: Path,
    journal: RunJournal,
    workers: int,
    on_task: Callable[[TaskRun], None],
    telling: "_Telling",
    secrets: Mapping[str, str],
    retry_policy: RetryPolicy,
) -> list[TaskRun]:
    """Runs the package of a folder; what fails stands in the run's record.

    Args:
        telling: is given the lines that tasks print.
        secrets: variables of the tasks that the package does not hold.

    Raises:
        RehearsalFailed: a task failed.
    """
    given = json.loads((folder / _PARAMETERS).read_text(encoding="utf-8"))
    package = Package.read(folder / _PACKAGE)
    with metadata_server(out) as environment:
        scheduler = Scheduler(
            package, folder.name, folder, {**secrets, **environment}, workers, on_task, telling,
            retry_policy,
        )  # fmt: skip
        tasks = scheduler.run(given)
    failed = [task for task in tasks if task.state == "failed"]
    if failed:
        journal.node(_nodes(tasks))
        journal.failed(failed[0].node_id, str(failed[0].problem))
        raise RehearsalFailed("\n".join([_failure(failed, folder), *telling.lines]))
    return tasks


class _Telling:
    """Hands on what tasks print, and keeps what the exit task does: who was told of the end."""

    def __init__(self, on_progress: Callable[[str, str], None]) -> None:
        self._on_progress = on_progress
        self.lines: list[str] = []

    def __call__(self, name: str, line: str) -> None:
        if name == task_name(TELL_END):
            self.lines.append(line)
        self._on_progress(name, line)


def _nodes(tasks: list[TaskRun]) -> list[NodeRun]:
    """The tasks that are done, as nodes of a local run."""
    return [
        NodeRun(
            task.node_id, task.state, task.seconds, None, task.uris,
            bytes=bytes_of_node(task.node_id, task.state, task.uris),
        )
        for task in tasks
        if task.done and task.node_id != TELL_END
    ]  # fmt: skip


def on_this_machine(experiment: Experiment, out: Path) -> Experiment:
    """The experiment with all that it writes below a folder, and no path that is relative.

    A rehearsal pushes into its own folder: nobody serves from it.
    """
    experiment = experiment.anchored()
    serving = experiment.serving
    if serving.push_to is not None:
        serving = serving.model_copy(update={"push_to": str(out / "serving")})
    run = experiment.run.model_copy(update={"pipeline_root": str(out)})
    changed: dict[str, Any] = {"serving": serving, "run": run}
    if experiment.data.serving_path is not None:
        # Those who served lie where they did.
        skew = {"versions_in": experiment.skew_versions}
        changed["skew"] = experiment.skew.model_copy(update=skew)
    return experiment.model_copy(update=changed)


@contextlib.contextmanager
def metadata_server(out: Path) -> Iterator[dict[str, str]]:
    """An ML-Metadata server in a process of its own; gives the variables that tasks find it by.

    Raises:
        RehearsalFailed: it did not start.
    """
    log_path = out / "metadata_server.log"
    command = [sys.executable, "-m", "mtlx.kubeflow.task.metadata_server", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_HERE), *_python_path()])}
    with (
        open(log_path, "w", encoding="utf-8") as log,
        subprocess.Popen(
            [*command, "--sqlite", str(out / METADATA_FILE)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C is for this process, which stops the tasks before their server.
            start_new_session=True,
        ) as process,
    ):
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise RehearsalFailed(f"the metadata server did not start. Log: {log_path}")
            yield {"TFX_MLMD_HOST": "127.0.0.1", "TFX_MLMD_PORT": port}
        finally:
            process.terminate()


def _python_path() -> list[str]:
    return [path for path in [os.environ.get("PYTHONPATH")] if path]


def _prepare(
    experiment: Experiment, out: Path, folder: Path, parameters: Mapping[str, Any]
) -> None:
    """Compiles the package; puts it, and the parameters, where a resumed run finds them."""
    from mtlx.kubeflow.package.compiler import compile_package

    package = compile_package(on_this_machine(experiment, out), for_cluster=False)
    package.write(out / "package")
    ir_path = Path(package.ir_path)
    ir_path.parent.mkdir(parents=True, exist_ok=True)
    ir_path.write_bytes(package.ir)
    folder.mkdir(parents=True)
    (folder / _PARAMETERS).write_text(json.dumps(dict(parameters)), encoding="utf-8")
    (folder / _PACKAGE).write_text(package.pipeline_yaml, encoding="utf-8")


def _failure(failed: list[TaskRun], folder: Path) -> str:
    """What failed, and how to go on."""
    lines = [f"{task.node_id}: {task.problem} ({task.attempts} attempts)" for task in failed]
    return "\n".join([*lines, f"Go on, once that is put right, with --resume {folder.name}"])
