"""The command line: ``mtlx``. Heavy libraries are imported by the commands that need them."""

import argparse
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlx.pipeline.commands import (
    clean,
    compare,
    replay,
    rollback,
    runs,
    schema,
    score,
    simulate,
    tune,
    versions,
)
from mtlx.pipeline.commands.command import (
    EXIT_FAILED,
    EXIT_NOT_BLESSED,
    EXIT_OK,
    EXIT_PUSHED_UNFINISHED,
    EXIT_STOPPED,
    EXIT_UNREAD,
    EXIT_WRONG_INPUT,
    Command,
    add_experiment_arguments,
    fail,
    in_a_line,
)
from mtlx.pipeline.process.prompt_stop import STOPPED, prompt_stop

if TYPE_CHECKING:
    from rich.console import Console

    from mtlx.pipeline.experiment.experiment import Experiment
    from mtlx.pipeline.run.run_result import RunResult

__all__ = [
    "COMMANDS",
    "EXIT_FAILED",
    "EXIT_NOT_BLESSED",
    "EXIT_OK",
    "EXIT_PUSHED_UNFINISHED",
    "EXIT_STOPPED",
    "EXIT_WRONG_INPUT",
    "Command",
    "add_experiment_arguments",
    "fail",
    "main",
    "make_parser",
]


def main(arguments: Sequence[str] | None = None, further: Sequence[Command] = ()) -> int:
    """Runs one command.

    Args:
        arguments: command-line arguments; those of the process if None.
        further: commands of higher folders.

    Returns:
        0 where all went well (for ``run``: the candidate was blessed, and pushed where the
        experiment says whereto), 3 where the candidate was not blessed, by the gate or by the
        serving check, 2 for wrong input, 1 where
        a run failed and nothing was pushed, 7 where it failed after the push, 130 and 143 where it
        was stopped by Ctrl-C or SIGTERM, 141 where nobody reads the output to its end.
    """
    # TensorFlow reads these when it is imported: no banner on the terminal (its C++ log knows no
    # file; what fails is raised in Python as well), and Keras 3 for all libraries.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    parsed = make_parser((*COMMANDS, *further)).parse_args(arguments)
    try:
        code: int = parsed.command(parsed)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(f"\n{parsed.stopped}", file=sys.stderr)
        return EXIT_STOPPED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return EXIT_UNREAD
        return fail(in_a_line(error), EXIT_FAILED)


def _nobody_reads() -> bool:
    """Whether standard output leads nowhere; what is still to be written is dropped then."""
    poll = select.poll()
    poll.register(1, select.POLLOUT)
    if not any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
        return False
    # Else Python complains of what is left when it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return True


def make_parser(known: Sequence[Command]) -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Args:
        known: the commands.
    """
    parser = argparse.ArgumentParser(
        prog="mtlx",
        description="Multi-task, multi-domain ranking models as gated TFX pipelines.",
    )
    parser.add_argument(
        "--markdown",
        action=_PrintReference,
        known=known,
        help="print all commands as a page (docs/commands.md), and exit",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in known:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            epilog=f"example: {command.example}" + (f"; {command.exits}" if command.exits else ""),
        )
        sub.set_defaults(command=command.run, stopped=command.stopped)
        command.add_arguments(sub)
    return parser


class _PrintReference(argparse.Action):
    """Prints the page of all commands and ends the process, as ``--help`` does.

    Args:
        option_strings: as argparse passes them.
        dest: likewise.
        known: the commands.
        help: of the option itself.
    """

    def __init__(self, option_strings: list[str], dest: str, known: Sequence[Command], help: str):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)
        self.known = known

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Is called where the option stands on the command line."""
        from mtlx.pipeline.catalogue.commands_reference import commands_reference

        print(commands_reference(self.known), end="")
        parser.exit()


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--span",
        dest="overrides",
        action="append",
        type="data.span={}".format,
        metavar="SPAN",
        help="number or date of the portion of the logs that is read, with data.window of the "
        "newest; else data.span, or the latest",
    )


def _add_check_arguments(parser: argparse.ArgumentParser) -> None:
    _add_run_arguments(parser)
    parser.add_argument(
        "--rows",
        type=_not_negative,
        default=200_000,
        metavar="N",
        help="rows to read, evenly spread over the logs; 0 for all (default: %(default)s)",
    )
    parser.add_argument("--strict", action="store_true", help="exit code 2 for warnings, too")


def _add_models_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", help="show this one: documentation, options, a YAML example"
    )
    parser.add_argument(
        "--count",
        metavar="EXPERIMENT",
        help="count the parameters of NAME for the features and tasks of this experiment file",
    )
    parser.add_argument(
        "--vocabulary",
        type=_positive,
        default=1000,
        metavar="N",
        help="with --count: values of every feature with a vocabulary (default: %(default)s)",
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print all of it as a page (docs/models.md)"
    )


def _add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", help="a section, a setting's path, or its last part: gate, bound"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print all of it as a page (docs/settings.md)"
    )


def _positive(text: str) -> int:
    """A positive whole number of the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, received {text}")
    return number


def _not_negative(text: str) -> int:
    """A whole number of the command line, from 0 on."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, received {text}")
    return number


def _run(arguments: argparse.Namespace) -> int:
    with prompt_stop():
        return _run_until_stopped(arguments)


def _run_until_stopped(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from mtlx.pipeline.experiment.checked_experiment import checked_experiment
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.preflight.preflight import preflight
    from mtlx.pipeline.process.heavy_imports import heavy_imports
    from mtlx.pipeline.run.local_run import check_not_in_use, run_experiment
    from mtlx.pipeline.run.pipeline_root import history_elsewhere
    from mtlx.pipeline.run.run_lock import PipelineRootInUse
    from mtlx.pipeline.run.run_result import RunFailed

    console = Console(highlight=False)

    def look(experiment: "Experiment") -> None:
        try:
            preflight(experiment, arguments.experiment)
            check_not_in_use(experiment)
        except (ExperimentFileError, PipelineRootInUse) as error:
            _tell_refusal(experiment, error)
            raise
        elsewhere = history_elsewhere(experiment)
        if elsewhere is not None:
            console.print(elsewhere, soft_wrap=True, markup=False)

    try:
        experiment = checked_experiment(
            arguments.experiment,
            arguments.overrides,
            arguments.data,
            look,
            console.status("Starting TensorFlow Extended ..."),
        )
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    except PipelineRootInUse as error:
        return fail(str(error), EXIT_FAILED)

    with heavy_imports():
        from mtlx.pipeline.run.record.run_record import ExperimentSource
        from mtlx.pipeline.terminal.terminal import NodeLines

    source = ExperimentSource.read(arguments.experiment, arguments.overrides)
    try:
        with NodeLines(console) as lines:
            result = run_experiment(experiment, lines.node, lines.progress, source)
    except RunFailed as error:
        return fail(str(error), EXIT_PUSHED_UNFINISHED if error.pushed_to else EXIT_FAILED)
    except PipelineRootInUse as error:
        return fail(str(error), EXIT_FAILED)
    try:
        _print_summary(console, experiment, result)
    except OSError as error:
        code = EXIT_PUSHED_UNFINISHED if result.pushed_to else EXIT_FAILED
        return fail(f"The run is finished, but its summary cannot be shown: {error}", code)
    return EXIT_OK if result.blessed else EXIT_NOT_BLESSED


def _tell_refusal(experiment: "Experiment", error: Exception) -> None:
    """Tells those of it that can be told; who cannot be is among what is wrong."""
    from mtlx.pipeline.preflight.told import telling_problems
    from mtlx.pipeline.run.tell import tell_refusal

    if not telling_problems(experiment):
        for line in tell_refusal(experiment, str(error)):
            print(line, file=sys.stderr)


def _print_summary(console: "Console", experiment: "Experiment", result: "RunResult") -> None:
    from mtlx.components.relaimp_gate.verdict import Verdict
    from mtlx.components.slice_evaluation.results import load_results
    from mtlx.pipeline.run.finish_run import serving_outcome
    from mtlx.pipeline.terminal.terminal import print_summary

    results = None
    if experiment.components.evaluation == "slice":
        results = load_results(result.output("SliceEvaluation", "evaluation"))
    verdict = Verdict.of_blessing(result.blessing)
    print_summary(console, result, verdict, results, serving_outcome(result))
    sys.stdout.flush()


def _check(arguments: argparse.Namespace) -> int:
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.log_check.command import check

    try:
        return EXIT_OK if check(arguments) else EXIT_WRONG_INPUT
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)


def _report(arguments: argparse.Namespace) -> int:
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
    from mtlx.pipeline.run.pipeline_root import history_elsewhere, pipeline_root
    from mtlx.pipeline.run.run_folder import RunFolder

    try:
        experiment = read_experiment(arguments.experiment, arguments.overrides, arguments.data)
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    folder = RunFolder.latest(pipeline_root(experiment))
    if folder is None:
        text = f"{experiment.name} has no finished run: mtlx run {arguments.experiment}"
        elsewhere = history_elsewhere(experiment)
        return fail("\n".join(filter(None, [text, elsewhere])), EXIT_WRONG_INPUT)
    try:
        run = folder.read_record()
    except ValueError as error:
        return fail(str(error), EXIT_FAILED)
    print(f"run {run['run_id']}: {'blessed' if run['blessed'] else 'not blessed'}")
    for node in run["nodes"]:
        print(f"  {node['node_id']:<20} {node['state']:<10} {node['seconds']:8.1f} s")
    served = run.get("serving_check")
    for finding in served["findings"] if served else ():
        if not finding["passed"]:
            print(f"serving check: {finding['message']}")
    if run["pushed_to"]:
        print(f"pushed to {run['pushed_to']}")
    print(f"report: {RunFolder(Path(run['folder'])).report}")
    return EXIT_OK


def _models(arguments: argparse.Namespace) -> int:
    from mtlx.pipeline.experiment.checked_experiment import checked_experiment
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.preflight.registered_names import check_names
    from mtlx.pipeline.process.heavy_imports import heavy_imports
    from mtlx.transform.config.settings import SettingsError

    name, experiment = arguments.name, None
    if arguments.markdown:
        if name is not None:
            return fail("--markdown prints all; leave NAME out", EXIT_WRONG_INPUT)
        with heavy_imports():
            from mtlx.pipeline.catalogue.models_reference import models_reference

            text = models_reference()
        print(text, end="")
        return EXIT_OK
    try:
        if arguments.count is not None:
            if name is None:
                return fail("--count needs the NAME of what to count", EXIT_WRONG_INPUT)
            experiment = checked_experiment(
                arguments.count, look=lambda found: check_names(found, arguments.count)
            )
        with heavy_imports():  # Some classes are imported only as they are described.
            from mtlx.pipeline.catalogue.catalogue import count, describe, listing

            if experiment is None:
                text = listing() if name is None else describe(name)
            else:
                text = count(name, experiment, arguments.vocabulary)
        print(text)
    except SettingsError as error:
        return fail(error.problems[0][1], EXIT_WRONG_INPUT)
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    return EXIT_OK


def _settings(arguments: argparse.Namespace) -> int:
    import shutil

    from mtlx.pipeline.catalogue import settings_reference
    from mtlx.transform.config.settings import SettingsError

    try:
        if arguments.name is None:
            found = settings_reference.settings_reference()
        else:
            found = settings_reference.find_settings(arguments.name)
    except SettingsError as error:
        return fail(error.problems[0][1], EXIT_WRONG_INPUT)
    if arguments.markdown:
        print(settings_reference.as_markdown(found), end="")
    else:
        width = min(shutil.get_terminal_size().columns, 100)
        print(settings_reference.as_text(found, width))
    return EXIT_OK


#: The commands of this folder; `mtlx.kubeflow.command_line` adds its own.
COMMANDS = (
    Command(
        "run",
        "run an experiment's pipeline here",
        "mtlx run configs/default.yaml",
        _add_run_arguments,
        _run,
        "exit codes: 0 blessed (and pushed, where serving.push_to is set), 3 not blessed by the "
        "gate or the serving check, 2 wrong input, 1 failed with nothing pushed, 7 pushed but "
        "failed after that, 130 stopped by Ctrl-C, 143 by SIGTERM",
        STOPPED,
    ),
    Command(
        "check",
        "check an experiment and a sample of its logs, without running anything",
        "mtlx check configs/default.yaml",
        _add_check_arguments,
        _check,
        "exit codes: 0 no error, 2 an error, with --strict also a warning",
    ),
    simulate.COMMAND,
    Command(
        "report",
        "say where an experiment's latest report is, and how its run ended",
        "mtlx report configs/default.yaml",
        add_experiment_arguments,
        _report,
    ),
    schema.COMMAND,
    versions.COMMAND,
    rollback.COMMAND,
    clean.COMMAND,
    runs.COMMAND,
    compare.COMMAND,
    tune.COMMAND,
    replay.COMMAND,
    score.COMMAND,
    Command(
        "models",
        "list what an experiment file can name",
        "mtlx models dtn",
        _add_models_arguments,
        _models,
    ),
    Command(
        "settings",
        "explain the settings of an experiment file",
        "mtlx settings gate",
        _add_settings_arguments,
        _settings,
    ),
)


if __name__ == "__main__":
    sys.exit(main())
