"""``mtlx rehearse``: runs an experiment's package here, as Kubeflow Pipelines would."""

import argparse
from typing import TYPE_CHECKING

from mtlx.kubeflow.rehearsal.retry_policy import RetryPolicy
from mtlx.pipeline.command_line import (
    EXIT_FAILED,
    EXIT_NOT_BLESSED,
    EXIT_OK,
    EXIT_WRONG_INPUT,
    Command,
    add_experiment_arguments,
    fail,
)
from mtlx.pipeline.process.prompt_stop import STOPPED, prompt_stop

if TYPE_CHECKING:
    from rich.console import Console

    from mtlx.kubeflow.rehearsal.rehearse import Rehearsal
    from mtlx.pipeline.experiment.experiment import Experiment

_PARAMETERS = ("data_path", "span", "run_name")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_experiment_arguments(parser)
    parser.add_argument(
        "--out", metavar="DIR", help="folder of the rehearsals (default: var/rehearsals/NAME)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="tasks at the same time (default: %(default)s)"
    )
    parser.add_argument("--resume", metavar="RUN", help="go on with this run, by its own package")
    parser.add_argument("--data-path", metavar="DIR", help="folder of the logs, for this run")
    parser.add_argument("--span", help="span of the logs, for this run; empty for the latest")
    parser.add_argument("--run-name", help="name of the run, as the page shows it")
    parser.add_argument(
        "--retry-policy",
        choices=[policy.value for policy in RetryPolicy],
        default=RetryPolicy.ALWAYS.value,
        help="which ended pods the backend repeats (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Rehearses an experiment.

    Returns:
        0 where the candidate was blessed (and pushed, where the experiment says whereto), 3 where
        it was not, 1 where a task failed, 2 for wrong input. Ctrl-C and SIGTERM end the process,
        with 130 and 143; no task outlives it.
    """
    with prompt_stop():
        return _run_until_stopped(arguments)


def _run_until_stopped(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from rich.console import Console

    from mtlx.pipeline.experiment.checked_experiment import checked_experiment
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.preflight.preflight import preflight
    from mtlx.pipeline.process.heavy_imports import heavy_imports

    if arguments.workers < 1:
        return fail(f"--workers: at least 1. Received: {arguments.workers}", EXIT_WRONG_INPUT)
    console = Console(highlight=False)

    def look(experiment: "Experiment") -> None:
        # A run that is resumed has its own package, whatever the experiment says by now.
        if not arguments.resume:
            logs_of_the_file = not (arguments.data_path or arguments.span)
            preflight(
                experiment, arguments.experiment, logs=logs_of_the_file, outputs=False, told=True
            )

    try:
        experiment = checked_experiment(
            arguments.experiment,
            arguments.overrides,
            arguments.data,
            look,
            console.status("Starting TensorFlow Extended ..."),
        )
        with console.status("Compiling the package ..."), heavy_imports():
            from mtlx.kubeflow.package.package_refused import PackageRefused
            from mtlx.kubeflow.rehearsal.condition import UnknownCondition
            from mtlx.kubeflow.rehearsal.package import PackageNotRunnable
            from mtlx.kubeflow.rehearsal.rehearse import RehearsalFailed, rehearse
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    with heavy_imports():
        from mtlx.kubeflow.rehearsal.task_lines import TaskLines
        from mtlx.pipeline.process.run_log import run_log
        from mtlx.pipeline.run.record.run_record import ExperimentSource
        from mtlx.pipeline.run.run_lock import PipelineRootInUse

    out = Path(arguments.out or f"var/rehearsals/{experiment.name}")
    given = {name: getattr(arguments, name) for name in _PARAMETERS}
    parameters = {name: value for name, value in given.items() if value is not None}
    if arguments.resume and parameters:
        return fail(
            "--resume goes on with the run's own parameters: leave out "
            f"--{next(iter(parameters)).replace('_', '-')}",
            EXIT_WRONG_INPUT,
        )
    source = ExperimentSource.read(arguments.experiment, arguments.overrides)
    try:
        # What libraries log here is no news to a person; each task has a log of its own.
        with run_log(out / "rehearse.log", lambda line: None):
            with TaskLines(console) as lines:
                rehearsal = rehearse(
                    experiment, out, parameters, arguments.workers, arguments.resume,
                    source, lines.task, lines.progress, RetryPolicy(arguments.retry_policy),
                )  # fmt: skip
            return _summary(console, rehearsal)
    except (PackageRefused, PackageNotRunnable, UnknownCondition) as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    except (RehearsalFailed, PipelineRootInUse) as error:
        return fail(str(error), EXIT_FAILED)
    except OSError as error:
        return fail(f"--out {out}: {error}", EXIT_FAILED)


def _summary(console: "Console", rehearsal: "Rehearsal") -> int:
    from mtlx.components.relaimp_gate.verdict import Verdict
    from mtlx.components.slice_evaluation.results import load_results
    from mtlx.pipeline.run.finish_run import serving_outcome
    from mtlx.pipeline.terminal.terminal import print_summary

    result = rehearsal.result
    evaluations = [
        node.outputs["evaluation"][0] for node in result.nodes if node.node_id == "SliceEvaluation"
    ]
    results = load_results(evaluations[0]) if evaluations else None
    verdict = Verdict.of_blessing(result.blessing)
    print_summary(console, result, verdict, results, serving_outcome(result))
    console.print(f"Run: {result.run_id}", soft_wrap=True, markup=False)
    return EXIT_OK if result.blessed else EXIT_NOT_BLESSED


COMMAND = Command(
    "rehearse",
    "run an experiment's Kubeflow package here, task by task",
    "mtlx rehearse configs/default.yaml --out var/rehearsals/default",
    add_arguments,
    run,
    "exit codes: 0 blessed (and pushed, where serving.push_to is set), 3 not blessed by the gate "
    "or the serving check, 1 a task failed, 2 wrong input, 130 stopped by Ctrl-C, 143 by SIGTERM",
    STOPPED,
)
