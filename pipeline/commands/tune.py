"""``mtlx tune``: tries settings, and finds those that reach most on the validation split."""

import argparse
import math
from collections.abc import Sequence
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
from mtlx.pipeline.process.prompt_stop import STOPPED, prompt_stop

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment
    from mtlx.pipeline.tune.tuning_record import TrialRow

#: Fewest further seeds that say anything of their spread.
_LEAST_SEEDS = 3


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--trials",
        type=int,
        default=20,
        help="trials that there are to be in the end, earlier ones included (default: 20)",
    )
    parser.add_argument(
        "--minutes", type=float, help="no trial begins any more after so many (default: no end)"
    )
    parser.add_argument("--workers", type=int, default=1, help="trials at once (default: 1)")
    parser.add_argument(
        "--objective",
        default="selection",
        metavar="NAME",
        help="what trials are compared by on the validation split: selection (by which epochs are "
        "selected, training.select_by), auc:TASK or loss:TASK, of the epoch that is kept "
        "(default: selection)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=3,
        help="further seeds from which the best settings and the file's own are trained in the "
        "end: 0, or 3 and more (default: 3)",
    )
    parser.add_argument(
        "--no-pruning",
        action="store_true",
        help="let trials come to their end of which half of the others had reached more",
    )
    parser.add_argument("--out", metavar="DIR", help="folder (default: var/searches/NAME)")


def _run(arguments: argparse.Namespace) -> int:
    with prompt_stop():
        return _run_until_stopped(arguments)


def _run_until_stopped(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.preflight.preflight import preflight
    from mtlx.pipeline.process.heavy_imports import heavy_imports

    console = Console(highlight=False)
    try:
        _check(arguments)
        experiment = _checked(arguments)
        preflight(experiment, arguments.experiment, outputs=False)
        folder = Path(arguments.out or f"var/searches/{experiment.name}")
    except (ExperimentFileError, ValueError) as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    with console.status("Starting TensorFlow Extended ..."), heavy_imports():
        from mtlx.pipeline.run.run_lock import PipelineRootInUse
        from mtlx.pipeline.run.run_result import RunFailed
        from mtlx.pipeline.tune.best_file import BEST_FILE
        from mtlx.pipeline.tune.report.findings import compare_command
        from mtlx.pipeline.tune.report.tuning_page import PAGE_FILE, tuning_page
        from mtlx.pipeline.tune.report.tuning_table import trial_line, tuning_table
        from mtlx.pipeline.tune.tune import Tune
        from mtlx.pipeline.tune.tuning_record import RECORD_FILE

    given = arguments.experiment, arguments.overrides, arguments.data

    def command() -> str | None:
        return compare_command(tune.record, *given)

    def write_page() -> None:
        page = tuning_page(tune.record, command())
        (folder / PAGE_FILE).write_text(page, encoding="utf-8")

    def done(row: "TrialRow") -> None:
        console.print(trial_line(row, tune.record), soft_wrap=True, markup=False)
        write_page()

    try:
        with console.status("") as status:
            tune = Tune(
                *given,
                folder,
                arguments.trials,
                arguments.minutes,
                arguments.workers,
                arguments.objective,
                arguments.seeds,
                not arguments.no_pruning,
                on_trial=done,
                on_progress=lambda line: status.update(line[:100].replace("[", "\\[")),
            )
            tune.run()
        write_page()
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    except (RunFailed, PipelineRootInUse) as error:
        return fail(str(error), EXIT_FAILED)
    for line in tuning_table(tune.record):
        print(line)
    if tune.record.best is None:
        print(f"page: {folder / PAGE_FILE}")
        return EXIT_FAILED
    judge = command()
    if judge is not None:
        print(f"\nNothing but the test split says whether they are better:\n    {judge}\n")
    print(f"best settings: {folder / BEST_FILE}\npage: {folder / PAGE_FILE}")
    print(f"numbers: {folder / RECORD_FILE}")
    return EXIT_OK


def _check(arguments: argparse.Namespace) -> None:
    """Numbers of the command line.

    Raises:
        ValueError: of one that is none.
    """
    for name in ("trials", "workers"):
        if getattr(arguments, name) < 1:
            raise ValueError(f"--{name} {getattr(arguments, name)}: give 1 or more")
    minutes = arguments.minutes
    if minutes is not None and not (math.isfinite(minutes) and minutes > 0):
        raise ValueError(f"--minutes {minutes}: give a number above 0")
    if arguments.seeds and arguments.seeds < _LEAST_SEEDS:
        raise ValueError(
            f"--seeds {arguments.seeds}: 0, or {_LEAST_SEEDS} and more; fewer say next to nothing "
            "of how far seeds differ"
        )


def _checked(arguments: argparse.Namespace) -> "Experiment":
    """The experiment, after a look at its search space as far as no model's class is asked.

    Raises:
        ExperimentFileError: experiment or space are wrong.
        ValueError: so is the objective.
    """
    from mtlx.pipeline.experiment.experiment_file import read_experiment
    from mtlx.pipeline.tune.objective import Objective
    from mtlx.pipeline.tune.space import read_space

    def check(overrides: Sequence[str]) -> "Experiment":
        given = (*arguments.overrides, *overrides)
        return read_experiment(arguments.experiment, given, arguments.data)

    experiment = given_experiment(arguments)
    file, given = arguments.experiment, arguments.overrides
    read_space(file, given, experiment.search, check, options=False)
    Objective.read(arguments.objective, experiment)
    return experiment


COMMAND = Command(
    "tune",
    "try settings, and find those that reach most on the validation split",
    "mtlx tune configs/default.yaml --trials 30 --set "
    "'search={training.learning_rate: {log: [0.0001, 0.01]}}'",
    _add_arguments,
    _run,
    "exit codes: 0 the best settings are found, 2 wrong input, 1 no trial came to its end, or what "
    "all share failed, 130 stopped by Ctrl-C, 143 by SIGTERM; trials that fail have a row that "
    "says so; the same command goes on where it was",
    STOPPED,
)
