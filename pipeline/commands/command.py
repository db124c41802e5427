"""What a command of ``mtlx`` is, and what all of them share."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment

#: Exit codes of every command.
EXIT_OK = 0
EXIT_FAILED = 1
EXIT_WRONG_INPUT = 2
EXIT_NOT_BLESSED = 3
#: The model was pushed, but what comes after that failed. (4 to 6 are those of ``mtlx submit``.)
EXIT_PUSHED_UNFINISHED = 7
#: 128 and the signal's number, as shells have it; SIGTERM gives 143.
EXIT_STOPPED = 130
#: Who read the output has gone before its end, as ``head`` does; as a shell has it for SIGPIPE.
EXIT_UNREAD = 141


@dataclasses.dataclass(frozen=True)
class Command:
    """One command of ``mtlx``.

    Attributes:
        name: as typed.
        summary: one line for ``--help``.
        example: a whole command line.
        add_arguments: is given the command's parser.
        run: is given the parsed arguments; returns the exit code. Imports what it needs itself.
        exits: what its exit codes mean, for ``--help``; empty where they are those of any command.
        stopped: what a person reads who stopped it by Ctrl-C.
    """

    name: str
    summary: str
    example: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    exits: str = ""
    stopped: str = "Stopped."


def add_experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of every command that reads an experiment file."""
    parser.add_argument("experiment", help="experiment file (YAML)")
    parser.add_argument(
        "--data", metavar="DIR", help="folder for relative data paths (else MTLX_DATA, else here)"
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="replace one setting, an entry of a list by its number; may be repeated; relative "
        "paths start from here, those of the file from the file's folder",
    )


def given_experiment(arguments: argparse.Namespace) -> "Experiment":
    """Reads the experiment that `add_experiment_arguments` speaks of.

    Args:
        arguments: of the command line.

    Raises:
        ExperimentFileError: it cannot be read, or is wrong.
    """
    from mtlx.pipeline.experiment.experiment_file import read_experiment

    return read_experiment(arguments.experiment, arguments.overrides, arguments.data)


def in_a_line(error: OSError) -> str:
    """What a person reads of an error of a file or disk: the path, what is wrong, what helps."""
    from mtlx.pipeline.process.disk_full import is_disk_full

    words = (str(error).splitlines() or [type(error).__name__])[0]
    if error.filename is not None and error.strerror:
        words = f"{os.fsdecode(error.filename)}: {error.strerror}"
    return f"{words}: make room, and run the command again" if is_disk_full(error) else words


def fail(message: str, code: int) -> int:
    """Says on standard error what went wrong, and returns the exit code."""
    print(message, file=sys.stderr)
    return code
