"""Splits that can have no row, whatever the logs hold."""

from typing import TYPE_CHECKING

from mtlx.components.log_example_gen.splits.splitter import SPLITS

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def split_problems(experiment: "Experiment") -> list[str]:
    """Splits that can have no row, whatever the logs hold.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    split = experiment.data.split
    if split.by == "span":
        if experiment.data.window is None:
            return [
                "data.split is by span, but data.window does not say how many spans train: set "
                "data.window: {train: 7, test: 1}"
            ]
        return []
    if split.by == "hash" or split.by == "row":
        empty = [name for name in SPLITS if getattr(split, name) == 0.0]
        return [f"data.split.{name} is 0, but every split needs rows" for name in empty]
    drawn = (split.validation if split.by == "file" else split.validation_from) is None
    if drawn and split.validation_share == 0.0:
        return ["data.split.validation_share is 0, but every split needs rows"]
    return []
