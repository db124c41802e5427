"""``mtlx submit``: compile, bring the IR to the cluster, start or schedule a run, wait for it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtlx.kubeflow.submission import exit_codes
from mtlx.pipeline.command_line import Command, add_experiment_arguments, fail

if TYPE_CHECKING:
    from kfp_server_api import V2beta1Run
    from rich.console import Console

    from mtlx.kubeflow.submission.pipelines_client import PipelinesClient
    from mtlx.kubeflow.submission.run_verdict import RunEnd
    from mtlx.pipeline.experiment.experiment import Experiment

#: Fields of a schedule, as Kubeflow Pipelines has it.
_CRON_FIELDS = 6


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument("--host", help="address of the API (else kubeflow.host)")
    parser.add_argument("--namespace", help="of the runs (else kubeflow.namespace)")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token", help="bearer token; seen by others of this machine: --token-file")
    token.add_argument("--token-file", help="file with the token, read anew for every request")
    parser.add_argument("--experiment", dest="group", help="of Kubeflow (else kubeflow.experiment)")
    parser.add_argument("--run-name", help="else the experiment's name and the time")
    parser.add_argument("--data-path", help="logs of this run, as the cluster sees them")
    parser.add_argument("--span", help="of data.path's {SPAN}; the latest if not given")
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--schedule", metavar="CRON", help="recurring: six fields, seconds first: '0 0 3 * * *'"
    )
    when.add_argument("--every", type=int, metavar="SECONDS", help="recurring: the interval")
    parser.add_argument("--wait", action="store_true", help="until the run is over")
    parser.add_argument(
        "--unless-running",
        action="store_true",
        help="start nothing while an earlier run of the Kubeflow experiment goes on",
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="of --wait")
    parser.add_argument(
        "--ir-in-place", action="store_true", help="the compiled TFX pipeline was copied by hand"
    )
    parser.add_argument("--out", help="folder of the package (default: var/compiled/NAME)")


def _run(arguments: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0 where the model was pushed (without ``--wait``: where the run was created), 3 where the
        gate or the serving check did not let it pass, 1 where the run failed or was deleted, 2 for
        wrong input, 4 where ``--timeout`` or Ctrl-C ended the waiting, 5 where the API does not
        answer or refuses access, 6 where the run succeeded but Kubeflow Pipelines does not tell the
        verdict (no Pusher), 8 where an earlier run goes on and ``--unless-running`` is given.
    """
    from mtlx.kubeflow.package.preflight import preflight_on_cluster
    from mtlx.pipeline.experiment.checked_experiment import checked_experiment
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError

    problem = _wrong(arguments)
    if problem:
        return fail(problem, exit_codes.EXIT_WRONG_INPUT)
    try:
        experiment = checked_experiment(
            arguments.experiment,
            arguments.overrides,
            arguments.data,
            lambda found: preflight_on_cluster(found, arguments.experiment),
        )
    except ExperimentFileError as error:
        return fail(str(error), exit_codes.EXIT_WRONG_INPUT)
    return submit_experiment(experiment, arguments)


def _wrong(arguments: argparse.Namespace) -> str | None:
    """What is wrong with the arguments, before any work."""
    recurring = arguments.schedule is not None or arguments.every is not None
    if arguments.wait and recurring:
        return "--wait is for one run; leave it out with --schedule and --every"
    if arguments.unless_running and recurring:
        return "--unless-running is for one run; a recurring one never runs beside itself"
    if arguments.timeout is not None and (not arguments.wait or arguments.timeout <= 0):
        return "--timeout takes a positive number of seconds, together with --wait"
    if arguments.every is not None and arguments.every < 1:
        return f"--every takes a positive number of seconds. Received: {arguments.every}"
    if arguments.schedule is not None and len(arguments.schedule.split()) != _CRON_FIELDS:
        return (
            "--schedule takes six fields (second, minute, hour, day, month, weekday), such as "
            f"'0 0 3 * * *'. Received: {arguments.schedule!r}"
        )
    if arguments.token_file and not Path(arguments.token_file).is_file():
        return f"--token-file: {arguments.token_file} does not exist"
    return None


def submit_experiment(experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Compiles, places, starts; waits where asked to. Returns the exit code."""
    from mtlx.kubeflow.package.compiler import PackageRefused, compile_package
    from mtlx.kubeflow.submission.place_ir import IrNotPlaced, place_ir

    try:
        package = compile_package(experiment)
        folder = Path(arguments.out or f"var/compiled/{experiment.name}")
        file = package.write(folder)
        compiled = folder / "ir" / f"{package.ir_digest}.pb"
        if not arguments.ir_in_place:
            copied = place_ir(package, str(compiled))
            print(f"TFX pipeline: {package.ir_path}{'' if copied else ' (was there)'}")
    except (PackageRefused, IrNotPlaced) as error:
        return fail(str(error), exit_codes.EXIT_WRONG_INPUT)
    return submit_package(file, experiment, arguments)


def submit_package(package: Path, experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Starts or schedules a compiled package; waits where asked to. Returns the exit code."""
    from mtlx.kubeflow.submission.pipelines_client import (
        AccessRefused,
        ApiUnreachable,
        PipelinesClient,
        PipelinesError,
    )

    cluster = experiment.kubeflow
    try:
        client = PipelinesClient(
            arguments.host or cluster.host,
            arguments.namespace or cluster.namespace,
            arguments.token,
            arguments.token_file,
        )
        return _start(client, package, experiment, arguments)
    except (ApiUnreachable, AccessRefused) as error:
        return fail(str(error), exit_codes.EXIT_UNREACHABLE)
    except PipelinesError as error:
        return fail(str(error), exit_codes.EXIT_WRONG_INPUT)


def _start(
    client: "PipelinesClient",
    package: Path,
    experiment: "Experiment",
    arguments: argparse.Namespace,
) -> int:
    import datetime

    cluster = experiment.kubeflow
    recurring = arguments.schedule is not None or arguments.every is not None
    moment = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    name = arguments.run_name or (experiment.name if recurring else f"{experiment.name}-{moment}")
    given = {"data_path": arguments.data_path, "span": arguments.span, "run_name": name}
    parameters = {key: value for key, value in given.items() if value is not None}
    common = (package, arguments.group or cluster.experiment or experiment.name, name, parameters)
    if recurring:
        schedule = client.schedule(
            *common, cluster.service_account, cron=arguments.schedule, seconds=arguments.every
        )
        print(f"Recurring run {name}: {client.address}/#/recurringrun/details/{schedule}")
        return exit_codes.EXIT_OK
    if arguments.unless_running and (running := client.running(common[1])):
        return fail(
            f"{running[0]!r} of experiment {common[1]!r} is not over: nothing was started",
            exit_codes.EXIT_STILL_RUNNING,
        )
    run_id = client.start(*common, cluster.service_account)
    print(f"Run {name}: {client.address}/#/runs/details/{run_id}", flush=True)
    return _wait(client, run_id, package, arguments) if arguments.wait else exit_codes.EXIT_OK


def _wait(
    client: "PipelinesClient", run_id: str, package: Path, arguments: argparse.Namespace
) -> int:
    from rich.console import Console

    from mtlx.kubeflow.submission.follow_run import RunTimedOut, follow_run
    from mtlx.kubeflow.submission.node_lines import NodeLines
    from mtlx.kubeflow.submission.pipelines_client import (
        AccessRefused,
        ApiUnreachable,
        PipelinesError,
    )
    from mtlx.kubeflow.submission.refusals import ABSENT
    from mtlx.kubeflow.submission.run_plan import RunPlan

    plan = RunPlan.read(package.read_text(encoding="utf-8"))
    console = Console(highlight=False)
    if plan.pusher is None:
        print(
            "serving.push_to is not set: Kubeflow Pipelines will not tell here what the gate "
            "decided; its page does"
        )
    try:
        with NodeLines(console) as lines:
            end, run = follow_run(
                client,
                run_id,
                plan,
                timeout=arguments.timeout,
                on_states=lines.states,
                on_problem=lines.problem,
            )
    except RunTimedOut as error:
        return fail(str(error), exit_codes.EXIT_TIMED_OUT)
    except KeyboardInterrupt:
        return fail(
            f"\nNo longer waiting. Run {run_id} goes on; it is stopped on its page only.",
            exit_codes.EXIT_TIMED_OUT,
        )
    except (ApiUnreachable, AccessRefused) as error:
        return fail(f"{error}\nRun {run_id} goes on.", exit_codes.EXIT_UNREACHABLE)
    except PipelinesError as error:
        fate = (
            "was deleted while it was awaited"
            if error.status in ABSENT
            else "was started, but can't be followed any longer: see its page"
        )
        return fail(f"{error}\nRun {run_id} {fate}.", exit_codes.EXIT_FAILED)
    return _report_end(console, end, run)


def _report_end(console: "Console", end: "RunEnd", run: "V2beta1Run") -> int:
    """Prints how the run ended; returns the exit code."""
    from mtlx.kubeflow.submission.run_verdict import RunEnd

    if end is RunEnd.PUSHED:
        console.print("[bold green]BLESSED: the candidate passed the gate, and was pushed")
        return exit_codes.EXIT_OK
    if end is RunEnd.NOT_BLESSED:
        console.print(
            "[bold red]NOT BLESSED: the candidate stays back; the pages of gate and serving check "
            "say why"
        )
        return exit_codes.EXIT_NOT_BLESSED
    if end is RunEnd.FAILED:
        message = f": {run.error.message}" if run.error and run.error.message else ""
        return fail(f"The run ended as {run.state}{message}", exit_codes.EXIT_FAILED)
    console.print("The run succeeded; what the gate decided stands on its page")
    return exit_codes.EXIT_VERDICT_UNKNOWN


COMMAND = Command(
    "submit",
    "run an experiment's pipeline on Kubeflow Pipelines",
    "mtlx submit configs/default.yaml --host http://localhost:8080 --wait",
    _add_arguments,
    _run,
    "exit codes: 0 pushed (without --wait: started), 3 not blessed by the gate or the serving "
    "check, 1 a task failed, 2 wrong input, 4 --timeout is over and the run goes on, 5 the API "
    "does not answer or refuses access, 6 finished without a Pusher to tell the verdict from, 8 an "
    "earlier run goes on (--unless-running)",
)
