"""``mtlx check``, without its place among the commands."""

import argparse

from rich.console import Console

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.log_check.log_check import check_logs
from mtlx.pipeline.log_check.print_check import print_check
from mtlx.pipeline.log_sample.input_files import is_seen_from_here
from mtlx.pipeline.preflight.preflight import preflight


def check(arguments: argparse.Namespace) -> bool:
    """Checks an experiment's file, places and logs, and prints what it finds.

    Args:
        arguments: `experiment`, `overrides`, `data`, `rows` (0 for all) and `strict`.

    Returns:
        Whether nothing is wrong; with `strict`, not even doubtful.

    Raises:
        ExperimentFileError: what can be said without reading on.
    """
    console = Console(highlight=False)
    experiment = read_experiment(arguments.experiment, arguments.overrides, arguments.data)
    preflight(experiment, arguments.experiment)
    if not is_seen_from_here(experiment.data):
        raise ExperimentFileError(
            f"{arguments.experiment}: data.path: {experiment.data.path[0]} is not of this "
            "machine; name a copy here: --set data.path=FILES"
        )
    try:
        with console.status("Reading the logs ..."):
            result = check_logs(experiment, arguments.rows or None)
    except InputRefused as error:
        raise ExperimentFileError(f"{arguments.experiment}: data: {error}") from error
    print_check(console, result)
    return not any(finding.error or arguments.strict for finding in result.findings)
