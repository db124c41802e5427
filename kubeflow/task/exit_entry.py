"""The command of the exit task: tells of the run's end, as a local run does.

``python -m mtlx.kubeflow.task.exit_entry --node TellEnd --ir_path URI --ir_digest SHA256
--telling=JSON --retries=2 --retry_seconds=30 --run_id=ID``; the connection to ML-Metadata comes
from the environment, see `mtlx.kubeflow.task.metadata_connection`.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from mtlx.kubeflow.task.last_word import leave_word
from mtlx.kubeflow.task.node_entry import (
    EXIT_NODE_FAILED,
    EXIT_OK,
    EXIT_WRONG_INPUT,
    add_retry_arguments,
    leave,
)
from mtlx.kubeflow.task.retries import Restart, Retries, restart_program
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.process.run_log import run_log


def main(arguments: Sequence[str] | None = None, restart: Restart | None = None) -> int:
    """Tells of a run's end.

    Args:
        arguments: command-line arguments; those of the process if None.
        restart: how a failure that may pass starts this program anew; None for no such retry.

    Returns:
        0 where all was tried, whether or not anybody could be told; 1 where it is not known how
        the run ended; 2 for wrong arguments, environment or compiled pipeline.
    """
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    parsed = _parser().parse_args(arguments)
    # What is told and what is not are lines of the log; see `mtlx.pipeline.notify.notify`.
    with run_log(None, lambda line: print(line, flush=True)):
        retries = Retries.read(parsed.retries, parsed.retry_seconds, os.environ, restart)
        return _run(parsed, retries)


def _run(arguments: argparse.Namespace, retries: Retries) -> int:
    with heavy_imports():
        from mtlx.kubeflow.package.compiled_pipeline import (
            CompiledPipelineError,
            read_compiled_pipeline,
        )
        from mtlx.kubeflow.task.metadata_connection import (
            MetadataConnectionError,
            connection_of,
            wait_for_store,
        )
        from mtlx.kubeflow.task.run_end import tell_run_end

    def tell() -> None:
        connection = connection_of(os.environ)
        pipeline = read_compiled_pipeline(arguments.ir_path, arguments.ir_digest)
        wait_for_store(connection)
        telling: dict[str, Any] = json.loads(arguments.telling)
        tell_run_end(pipeline, arguments.run_id, telling, connection)

    try:
        retries.run(arguments.node, tell)
    except (MetadataConnectionError, CompiledPipelineError) as error:
        return _fail(arguments.node, str(error), EXIT_WRONG_INPUT)
    except Exception as error:
        traceback.print_exc()
        return _fail(arguments.node, str(error) or type(error).__name__, EXIT_NODE_FAILED)
    return EXIT_OK


def _fail(node_id: str, why: str, code: int) -> int:
    print(f"{node_id}: {why}", file=sys.stderr)
    leave_word(os.environ, why)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mtlx.kubeflow.task.exit_entry", description=__doc__
    )
    parser.add_argument("--node", required=True, help="what the task is called")
    parser.add_argument("--ir_path", required=True, help="the compiled pipeline, a file or URI")
    parser.add_argument("--ir_digest", required=True, help="its SHA-256")
    parser.add_argument("--telling", required=True, help="JSON of whom to tell")
    parser.add_argument("--run_id", required=True, help="of the run")
    add_retry_arguments(parser)
    return parser


if __name__ == "__main__":
    leave(main(restart=restart_program))
