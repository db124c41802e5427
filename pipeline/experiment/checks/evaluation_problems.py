"""What the evaluation names and nothing has."""

from typing import TYPE_CHECKING

from mtlx.components.log_example_gen.splits.splitter import SPLITS
from mtlx.components.slice_evaluation.slices import resolve_crosses
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def evaluation_problems(experiment: "Experiment") -> list[str]:
    """What the evaluation names and nothing has.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    problems = []
    try:
        resolve_crosses(experiment.evaluation, experiment.contract)
    except SettingsError as error:
        problems += [f"{'.'.join(path)}: {text}" for path, text in error.problems]
    if experiment.evaluation.split not in SPLITS:
        problems.append(
            f"evaluation.split names no split: {experiment.evaluation.split!r}, "
            f"{suggest(experiment.evaluation.split, SPLITS)}"
        )
    elif experiment.data.window is not None and experiment.evaluation.split != "test":
        problems.append(
            f"evaluation.split is {experiment.evaluation.split!r}, but with data.window the spans "
            "that test are evaluated, all of their rows: leave it out"
        )
    return problems
