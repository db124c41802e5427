"""The command of every task: runs one node of the compiled pipeline, as a local run would.

``python -m mtlx.kubeflow.task.node_entry --node Trainer --ir_path URI --ir_digest SHA256
--learning_task=TASK --retries=2 --retry_seconds=30 --run_id=ID --run_name=NAME --data_path=PATH
--span=SPAN --executor_input='{{$}}'``; the connection to ML-Metadata comes from the environment,
see `mtlx.kubeflow.task.metadata_connection`.
"""

import argparse
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

from mtlx.kubeflow.task.last_word import leave_word
from mtlx.kubeflow.task.retries import Restart, Retries, restart_program
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.process.run_log import run_log

#: Exit codes of a task.
EXIT_OK, EXIT_NODE_FAILED, EXIT_WRONG_INPUT = 0, 1, 2


class WrongParameter(ValueError):
    """A parameter of the run is not what it must be."""


def main(arguments: Sequence[str] | None = None, restart: Restart | None = None) -> int:
    """Runs one node, or the health check.

    Args:
        arguments: command-line arguments; those of the process if None.
        restart: how a failure that may pass starts this program anew; None for no such retry.

    Returns:
        0 where the node completed or was served from the cache, 1 where it failed (its inputs
        may not have resolved), 2 for wrong arguments, environment or compiled pipeline; what a
        library or a signal's handler left with, unless that is 0.
    """
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    parsed = _parser().parse_args(arguments)
    with run_log(None, lambda line: print(line, flush=True)):
        if parsed.check:
            return _check()
        missing = [name for name in _REQUIRED if getattr(parsed, name) is None]
        if missing:
            print(f"node_entry: missing --{', --'.join(missing)}", file=sys.stderr)
            return EXIT_WRONG_INPUT
        retries = Retries.read(parsed.retries, parsed.retry_seconds, os.environ, restart)
        return _run(parsed, retries)


def run_task(arguments: argparse.Namespace, earlier: Sequence[str] = ()) -> None:
    """Runs the task's node, and writes what Kubeflow Pipelines is to have of it.

    Args:
        arguments: of the command line.
        earlier: why earlier attempts of this pod failed.

    Raises:
        ExecutorInputError, MetadataConnectionError, CompiledPipelineError, WrongParameter: the
            arguments or the environment are wrong; nothing was run.
        Exception: the node failed.
    """
    with heavy_imports():
        from tfx.orchestration import metadata
        from tfx.proto.orchestration import pipeline_pb2

        from mtlx.kubeflow import page
        from mtlx.kubeflow.package.compiled_pipeline import read_compiled_pipeline
        from mtlx.kubeflow.page.page_context import PageContext
        from mtlx.kubeflow.task.failure_note import failures
        from mtlx.kubeflow.task.metadata_connection import connection_of, wait_for_store
        from mtlx.kubeflow.task.outcome_file import write_outcome
        from mtlx.kubeflow.task_outputs import TaskOutputs
        from mtlx.kubeflow.training_job.settings import NODE, RUN_ID
        from mtlx.pipeline.run import node_run
        from mtlx.pipeline.run.window_run import READING_NODE, see_to_window

    outputs = TaskOutputs.read(arguments.executor_input)
    connection = connection_of(os.environ)
    pipeline = read_compiled_pipeline(arguments.ir_path, arguments.ir_digest)
    wait_for_store(connection)
    data_path, span = arguments.data_path or None, arguments.span
    given = pipeline_pb2.Pipeline()
    given.CopyFrom(pipeline)
    try:
        node_run.bind_parameters(pipeline, arguments.run_id, data_path, span)
    except ValueError as error:
        raise WrongParameter(f"--data_path, --span: {error}") from error
    # A training on several machines is named after them, so that a retry finds it.
    os.environ[RUN_ID], os.environ[NODE] = arguments.run_id, arguments.node
    started = time.monotonic()
    if arguments.node == READING_NODE:
        seen = see_to_window(given, arguments.run_id, data_path, span, connection)
        if seen is not None:  # The latest span then may be another one by now.
            node_run.bind_parameters(given, arguments.run_id, data_path, seen.plan.newest_words)
            pipeline = given
    outcome = node_run.run_node(pipeline, arguments.node, connection)
    seconds = time.monotonic() - started
    write_outcome(os.environ, outcome)
    with metadata.Metadata(connection) as handle:
        # Of a pod before: a reason is noted when its pod ends with it.
        noted = failures(handle.store, arguments.run_id).get(arguments.node)
        context = PageContext(
            run_id=arguments.run_id,
            run_name=arguments.run_name,
            tasks=tuple(arguments.learning_task),
            seconds=seconds,
            store=handle.store,
            failures=(*([noted] if noted else []), *earlier),
        )
        page.write_page(arguments.node, outcome, outputs, context)
    outputs.write()
    print(f"{arguments.node}: {outcome.state.value} in {seconds:.1f} s", flush=True)


def _run(arguments: argparse.Namespace, retries: Retries) -> int:
    """The exit code for what `run_task` did, with the failure in one last line."""
    with heavy_imports():
        from mtlx.kubeflow.package.compiled_pipeline import CompiledPipelineError
        from mtlx.kubeflow.task.metadata_connection import MetadataConnectionError
        from mtlx.kubeflow.task_outputs import ExecutorInputError

    wrong = (ExecutorInputError, MetadataConnectionError, CompiledPipelineError, WrongParameter)
    try:
        retries.run(arguments.node, lambda: run_task(arguments, retries.earlier))
    except wrong as error:
        return _fail(arguments, str(error), EXIT_WRONG_INPUT)
    except SystemExit as error:
        # A library's, which may say 0 though no outputs are there; or that of a task told to stop.
        traceback.print_exc()
        code, why = _failing_code(error.code), f"left by SystemExit({error.code!r})"
        if code != 128 + signal.SIGTERM:
            _keep_why(arguments, why)
        return _fail(arguments, why, code)
    except Exception as error:
        traceback.print_exc()
        why = str(error) or type(error).__name__
        _keep_why(arguments, why)
        return _fail(arguments, why, EXIT_NODE_FAILED)
    return EXIT_OK


def _fail(arguments: argparse.Namespace, why: str, code: int) -> int:
    """Says why the task fails, in the log's last line and in the pod's state."""
    print(f"{arguments.node}: {why}", file=sys.stderr)
    leave_word(os.environ, why)
    return code


def _keep_why(arguments: argparse.Namespace, message: str) -> None:
    """Leaves the reason for the task that tells of the run's end; it never fails the node again."""
    from tfx.orchestration import metadata

    from mtlx.kubeflow.task.failure_note import note_failure
    from mtlx.kubeflow.task.metadata_connection import connection_of

    try:
        with metadata.Metadata(connection_of(os.environ)) as handle:
            note_failure(handle, arguments.run_id, arguments.node, message)
    except Exception:
        logging.exception("%s: why it failed could not be noted", arguments.node)


def _failing_code(code: object) -> int:
    """The exit code of a `SystemExit`, as the shell sees it, unless that means success."""
    return (code % 256 if isinstance(code, int) else 0) or EXIT_NODE_FAILED


def _check() -> int:
    try:
        with heavy_imports():
            from mtlx.kubeflow.task import health_check
        print(health_check.check())
    except Exception as error:
        traceback.print_exc()
        print(f"check: {error or type(error).__name__}", file=sys.stderr)
        return EXIT_NODE_FAILED
    return EXIT_OK


#: Arguments without which no node is run; the others may be empty.
_REQUIRED = ("node", "ir_path", "ir_digest", "run_id", "executor_input")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mtlx.kubeflow.task.node_entry", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="health check; takes nothing else")
    parser.add_argument("--node", help="id of the node")
    parser.add_argument("--ir_path", help="the compiled pipeline, a file or URI")
    parser.add_argument("--ir_digest", help="its SHA-256")
    parser.add_argument("--run_id", help="of the run; the same again in a retry")
    parser.add_argument("--run_name", default="", help="what people call the run")
    parser.add_argument("--data_path", default="", help="folder of the logs; as compiled if empty")
    parser.add_argument("--span", help="span of the logs; the latest if empty")
    parser.add_argument(
        "--learning_task", action="append", default=[], help="of the experiment; once for each"
    )
    parser.add_argument("--executor_input", help="JSON from the launcher")
    add_retry_arguments(parser)
    return parser


def add_retry_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what bounds the retries inside a task."""
    parser.add_argument("--retries", type=int, default=0, help="of failures that may pass")
    parser.add_argument(
        "--retry_seconds", type=float, default=30.0, help="before the first of them"
    )


def leave(code: int) -> NoReturn:
    """Ends the process with this code, whatever native libraries would do at its end.

    All is written by now; their destructors can abort a process that succeeded.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main(restart=restart_program))
