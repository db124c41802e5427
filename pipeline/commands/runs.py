"""``mtlx runs``: all runs of an experiment, as a table, a page with curves, or JSON."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtlx.pipeline.commands.command import (
    EXIT_FAILED,
    EXIT_OK,
    EXIT_WRONG_INPUT,
    Command,
    add_experiment_arguments,
    fail,
    given_experiment,
)

if TYPE_CHECKING:
    from mtlx.pipeline.run.record.run_summary import RunSummary

#: Below the pipeline root, where no other place is given.
_PAGE = "runs.html"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--last", type=int, metavar="N", help="only the last N runs; all if not given"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument(
        "--html",
        nargs="?",
        const="",
        metavar="PATH",
        help="write a page with curves over time (else runs.html in the pipeline root)",
    )
    shape.add_argument("--json", action="store_true", help="print all that is known, as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.history.list_runs import list_runs
    from mtlx.pipeline.run.pipeline_root import history_elsewhere, pipeline_root

    if arguments.last is not None and arguments.last < 1:
        return fail(f"--last: at least 1. Received: {arguments.last}", EXIT_WRONG_INPUT)
    try:
        experiment = given_experiment(arguments)
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    root = pipeline_root(experiment)
    runs = list_runs(root)
    if not runs:
        text = f"{experiment.name} has no run: mtlx run {arguments.experiment}"
        elsewhere = history_elsewhere(experiment)
        return fail("\n".join(filter(None, [text, elsewhere])), EXIT_WRONG_INPUT)
    shown = runs if arguments.last is None else runs[-arguments.last :]
    if arguments.json:
        return _print_json(shown)
    if arguments.html is not None:
        return _write_page(experiment.name, shown, Path(arguments.html or root / _PAGE))
    return _print_table(shown)


def _print_json(runs: "list[RunSummary]") -> int:
    import json

    # A line per run: indented, it is Python that writes it, and takes longer than all the rest.
    print("[\n" + ",\n".join(json.dumps(run.to_values()) for run in runs) + "\n]")
    return EXIT_OK


def _write_page(name: str, runs: "list[RunSummary]", path: Path) -> int:
    from mtlx.pipeline.history.runs_page import runs_page

    try:
        path.write_text(runs_page(name, runs), encoding="utf-8")
    except OSError as error:
        return fail(f"--html {path}: {error.strerror}", EXIT_FAILED)
    print(f"{len(runs)} runs: {path}")
    return EXIT_OK


def _print_table(runs: "list[RunSummary]") -> int:
    import os
    import shutil
    import sys

    from mtlx.pipeline.history.runs_table import runs_table

    # A file or another program gets the whole of each run in one line.
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    for line in runs_table(runs, width, coloured=terminal and "NO_COLOR" not in os.environ):
        print(line)
    return EXIT_OK


COMMAND = Command(
    "runs",
    "list an experiment's runs: how they ended, AUC, RelaImp, seconds and size",
    "mtlx runs configs/default.yaml --html",
    _add_arguments,
    _run,
)
