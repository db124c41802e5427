"""One attempt at a task: the compiled command in a fresh process with a folder of its own."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.rehearsal.launcher_rules import output_problems
from mtlx.kubeflow.rehearsal.package import Container
from mtlx.kubeflow.rehearsal.task_inputs import fill_placeholders
from mtlx.kubeflow.task.outcome_file import OUTCOME_FILE, read_outcome

_HERE = Path(__file__).resolve().parents[2]
_METADATA_PREFIX = "TFX_MLMD_"
#: How a process ends that was told to stop: by the signal, or by the code of its own handler.
_TOLD_TO_STOP = (-signal.SIGTERM, 128 + signal.SIGTERM)


class AttemptFailed(RuntimeError):
    """The process failed, or left other outputs than the launcher takes.

    Attributes:
        lost: whether it was told to stop, as all of a pod is that is deleted or whose machine
            goes; else it failed by itself, or was killed as by too much memory.
    """

    def __init__(self, message: str, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What an attempt left that went well.

    Attributes:
        output: the executor output, with the outputs that the process left as files.
        state: of the node, ``complete`` or ``cached``; ``finished`` where the process did not say.
        uris: of the TFX artifacts, by output name.
    """

    output: dict[str, Any]
    state: str
    uris: dict[str, list[str]]


class Processes:
    """The processes of a rehearsal, so that none outlives it."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    @contextlib.contextmanager
    def start(self, command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
        """Starts a process in a session of its own, and ends all of that at the end."""
        with self._lock:
            if self._stopped:
                raise AttemptFailed("the rehearsal was stopped")
            process = subprocess.Popen(
                command,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                **options,
            )
            self._running.add(process)
        try:
            yield process
        finally:
            with self._lock:
                self._running.discard(process)
            _kill(process)
            process.wait()

    def stop(self) -> None:
        """Kills all processes, and starts no more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _limited(process: subprocess.Popen[str], timeout: float | None) -> Iterator[None]:
    """Kills the process after its time, and what it started as soon as it has ended itself.

    In a container nothing outlives the first process; here a descendant would, and keep the
    output open.
    """

    def kill_the_rest() -> None:
        with contextlib.suppress(ChildProcessError):  # the attempt was given up, and it is reaped
            # Only awaited: until it is reaped its id, which is the group's, is no other's.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            _kill(process)

    timer = threading.Timer(timeout or 0.0, _kill, (process,))
    watcher = threading.Thread(target=kill_the_rest, daemon=True)
    watcher.start()
    if timeout is not None:
        timer.start()
    try:
        yield
        watcher.join()
    finally:
        timer.cancel()


def run_attempt(
    component: pipeline_spec_pb2.ComponentSpec,
    container: Container,
    given: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    processes: Processes,
    on_progress: Callable[[str], None],
    timeout: float | None = None,
) -> Attempt:
    """Runs a task's command once, as the launcher does.

    Args:
        component: what the task declares.
        container: command, arguments and environment.
        given: the executor input.
        folder: working folder of the process; its standard error goes to ``log.txt`` there, its
            standard output to ``output.txt``.
        environment: variables for the metadata server; others are this process's own and those
            of the container.
        processes: those of the rehearsal.
        on_progress: is given the lines of standard output.
        timeout: seconds after which the process is killed; None for no limit.

    Returns:
        What the process left.

    Raises:
        AttemptFailed: with the last line of the log.
    """
    folder.mkdir(parents=True)
    text = json.dumps(given, indent=2)
    (folder / "executor_input.json").write_text(text, encoding="utf-8")
    for file in given["outputs"]["parameters"].values():
        Path(file["outputFile"]).parent.mkdir(parents=True, exist_ok=True)
    command = fill_placeholders([*container.command, *container.args], given)
    if command[0] in ("python", "python3"):
        command[0] = sys.executable
    log_path, outcome_file = folder / "log.txt", folder / "outcome.json"
    with (
        open(log_path, "w", encoding="utf-8") as log,
        open(folder / "output.txt", "w", encoding="utf-8", buffering=1) as print_to,
        processes.start(
            command,
            cwd=folder,
            env={**_environment(container, environment), OUTCOME_FILE: str(outcome_file)},
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        with _limited(process, timeout):
            for line in process.stdout or ():
                print_to.write(line)
                on_progress(line.rstrip())
        code = process.wait()
    if code != 0:
        text = f"{_ending(code)}: {_last_line(log_path)}\nLog: {log_path}"
        raise AttemptFailed(text, lost=code in _TOLD_TO_STOP)
    output = _executor_output(component, given)
    try:
        state, uris = read_outcome(outcome_file) or ("finished", {})
    except ValueError as error:
        raise AttemptFailed(f"{outcome_file}: {error}") from error
    return Attempt(output, state, uris)


def _environment(container: Container, metadata: Mapping[str, str]) -> dict[str, str]:
    """Variables of a task; of the metadata store only the rehearsal's own are seen."""
    variables = {**os.environ, **{item.name: item.value for item in container.env}}
    variables = {
        name: value for name, value in variables.items() if not name.startswith(_METADATA_PREFIX)
    }
    search = [str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables["PYTHONPATH"] = os.pathsep.join(search)
    return {**variables, **metadata}


def _ending(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"


def _executor_output(
    component: pipeline_spec_pb2.ComponentSpec, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Reads the executor output file strictly, and parameters that are files only.

    Raises:
        AttemptFailed: it is not what the launcher can read, or a parameter is missing.
    """
    path = Path(given["outputs"]["outputFile"])
    message = pipeline_spec_pb2.ExecutorOutput()
    try:
        if path.exists():
            json_format.Parse(path.read_text(encoding="utf-8"), message)
    except json_format.ParseError as error:
        raise AttemptFailed(f"{path}: the launcher can't read it: {error}") from error
    output = json_format.MessageToDict(message)
    problems = list(output_problems(given, output))
    if problems:
        raise AttemptFailed("\n".join(["the launcher can't take its outputs:", *problems]))
    parameters = output.setdefault("parameterValues", {})
    for name, place in given["outputs"]["parameters"].items():
        file = Path(place["outputFile"])
        if name in parameters:
            continue
        if not file.exists():
            raise AttemptFailed(f"output parameter {name!r} is missing: {file}")
        declared = component.output_definitions.parameters[name].parameter_type
        parameters[name] = _parameter(name, declared, file.read_text(encoding="utf-8"))
    return output


def _parameter(name: str, declared: int, text: str) -> Any:
    """A parameter's value from its file, by its declared type."""
    if declared == pipeline_spec_pb2.ParameterType.STRING:
        return text
    is_boolean = declared == pipeline_spec_pb2.ParameterType.BOOLEAN
    try:
        return json.loads(text.strip().lower() if is_boolean else text)
    except json.JSONDecodeError as error:
        kind = pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(declared)
        raise AttemptFailed(f"output parameter {name!r} is no {kind}: {text[:80]!r}") from error
