"""``mtlx compile``: an experiment as a package for Kubeflow Pipelines."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtlx.pipeline.command_line import (
    EXIT_OK,
    EXIT_WRONG_INPUT,
    Command,
    add_experiment_arguments,
    fail,
)

if TYPE_CHECKING:
    from rich.console import Console

    from mtlx.kubeflow.package.compiler import Package


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--out", metavar="DIR", help="folder of the package (default: var/compiled/NAME)"
    )


def _run(arguments: argparse.Namespace) -> int:
    import logging

    from rich.console import Console

    from mtlx.kubeflow.package.preflight import preflight_on_cluster
    from mtlx.pipeline.experiment.checked_experiment import checked_experiment
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.process.heavy_imports import heavy_imports

    console = Console(highlight=False)
    # TensorFlow Transform warns of the Keras that this project chose.
    logging.disable(logging.WARNING)
    try:
        experiment = checked_experiment(
            arguments.experiment,
            arguments.overrides,
            arguments.data,
            lambda found: preflight_on_cluster(found, arguments.experiment),
            console.status("Starting TensorFlow Extended ..."),
        )
        with console.status("Compiling ..."), heavy_imports():
            from mtlx.kubeflow.package.compiler import PackageRefused, compile_package

            try:
                package = compile_package(experiment)
            except PackageRefused as error:
                problems = f"{arguments.experiment}: nothing written\n{error}"
                return fail(problems, EXIT_WRONG_INPUT)
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    finally:
        logging.disable(logging.NOTSET)
    folder = Path(arguments.out or f"var/compiled/{experiment.name}")
    print_package(console, package, package.write(folder), arguments.experiment)
    return EXIT_OK


def print_package(console: "Console", package: "Package", file: Path, experiment: str) -> None:
    """Prints what was written, the nodes with their resources, and what to do next."""
    from rich.table import Column, Table

    table = Table(
        Column("node", no_wrap=True),
        "cores",
        "memory",
        "GPUs",
        "machines",
        "retries",
        "timeout",
    )
    for node_id, node in package.nodes.items():
        table.add_row(
            node_id,
            node.cpu if node.cpu_limit is None else f"{node.cpu} to {node.cpu_limit}",
            node.memory if node.memory_limit is None else f"{node.memory} to {node.memory_limit}",
            str(node.gpu) if node.gpu else "-",
            str(node.workers),
            str(node.retries),
            "-" if node.timeout_seconds is None else f"{node.timeout_seconds} s",
        )
    console.print(table)
    compiled = file.parent / "ir" / f"{package.ir_digest}.pb"
    for line in (
        f"Package: {file} (checked)",
        f"TFX pipeline: {compiled}, which the tasks read at {package.ir_path}",
        "Next:",
        f"  mtlx rehearse {experiment}    runs the tasks here, as the cluster would",
        f"  mtlx submit {experiment}      places the TFX pipeline and starts a run",
        f"  or copy the TFX pipeline to {package.ir_path} and upload the package yourself",
    ):
        console.print(line, soft_wrap=True, markup=False)


COMMAND = Command(
    "compile",
    "write an experiment as a package for Kubeflow Pipelines",
    "mtlx compile configs/default.yaml --out var/compiled/default",
    _add_arguments,
    _run,
)
