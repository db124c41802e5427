"""What commands on runs and versions of the past share: which place they work in."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from mtlx.pipeline.commands.command import (
    EXIT_FAILED,
    EXIT_WRONG_INPUT,
    add_experiment_arguments,
    fail,
    given_experiment,
)
from mtlx.pipeline.commands.refusal import refusal_words

if TYPE_CHECKING:
    from mtlx.pipeline.run.workplace import Workplace


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that say of which runs and versions a command speaks."""
    add_experiment_arguments(parser)
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="of the cluster's runs, from a pod that mounts their volumes: the paths of "
        "kubeflow.settings and the server of kubeflow.metadata",
    )


def at_work(arguments: argparse.Namespace, work: Callable[["Workplace"], int]) -> int:
    """Does a command's work in its place, and says in one line what was wrong.

    Args:
        arguments: of `add_place_arguments`.
        work: is given the place; returns the exit code.
    """
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.run.run_lock import PipelineRootInUse
    from mtlx.pipeline.run.workplace import StoreLost, Workplace, WorkplaceUnknown

    try:
        experiment = given_experiment(arguments)
        place = Workplace.on_cluster if arguments.cluster else Workplace.here
        return work(place(experiment))
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    except WorkplaceUnknown as error:
        return fail(f"{arguments.experiment}: {error}", EXIT_WRONG_INPUT)
    except (PipelineRootInUse, StoreLost) as error:
        return fail(str(error), EXIT_FAILED)
    except Exception as error:
        refusal = refusal_words(error)
        if refusal is None:
            raise
        return fail(refusal, EXIT_FAILED)
