"""Exit codes of ``mtlx submit``, besides those of every command."""

from mtlx.pipeline.command_line import EXIT_FAILED, EXIT_NOT_BLESSED, EXIT_OK, EXIT_WRONG_INPUT

__all__ = [
    "EXIT_FAILED",
    "EXIT_NOT_BLESSED",
    "EXIT_OK",
    "EXIT_STILL_RUNNING",
    "EXIT_TIMED_OUT",
    "EXIT_UNREACHABLE",
    "EXIT_VERDICT_UNKNOWN",
    "EXIT_WRONG_INPUT",
]

#: The waiting ended before the run, by ``--timeout`` or Ctrl-C; the run goes on.
EXIT_TIMED_OUT = 4
#: The API of Kubeflow Pipelines does not answer, or refuses access.
EXIT_UNREACHABLE = 5
#: The run succeeded, but Kubeflow Pipelines does not tell what the gate decided.
EXIT_VERDICT_UNKNOWN = 6
#: With ``--unless-running``: a run of the same experiment is not over; nothing was started.
EXIT_STILL_RUNNING = 8
