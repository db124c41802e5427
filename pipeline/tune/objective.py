"""What trials are compared by: something that a training measures on the validation split."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.transform.config.names import suggest

#: The value that epochs are selected by.
SELECTION = "selection"
#: Of one task: ``auc:click``.
_OF_A_TASK = {"auc": "validation_auc", "loss": "validation_loss"}
#: Of `training.select_by.metric`.
_LOSSES = ("normalised_entropy", "log_loss")


@dataclass(frozen=True)
class Objective:
    """A number per epoch.

    Attributes:
        name: as ``--objective`` has it.
        title: for people.
        lower_is_better: whether the smallest is the best.
        selection_lower: whether the smallest value that epochs are selected by is the best.
    """

    name: str
    title: str
    lower_is_better: bool
    selection_lower: bool

    @classmethod
    def read(cls, name: str, experiment: Experiment) -> "Objective":
        """Of ``--objective``.

        Raises:
            ValueError: it is none, or no task of the experiment is called so.
        """
        select_by = experiment.training.select_by
        lower = select_by.metric in _LOSSES
        if name == SELECTION:
            title = select_by.metric.replace("_", " ").replace("auc", "AUC")
            mean = ", mean over domains" if select_by.domains == "mean" else ""
            return cls(name, title + mean, lower, lower)
        kind, _, task = name.partition(":")
        tasks = list(experiment.tasks)
        known = [SELECTION, *(f"{one}:{task}" for one in _OF_A_TASK for task in tasks)]
        if kind not in _OF_A_TASK or task not in tasks:
            raise ValueError(f"--objective {name}: unknown, {suggest(name, known)}")
        if task in experiment.contract.regressions:
            if kind == "auc":
                raise ValueError(
                    f"--objective {name}: the labels of {task} are numbers and have no AUC: take "
                    f"loss:{task}"
                )
            return cls(name, f"squared error of {task}", True, lower)
        title = f"AUC of {task}" if kind == "auc" else f"log loss of {task}"
        return cls(name, title, kind == "loss", lower)

    def value(self, epoch: Mapping[str, Any]) -> float | None:
        """What an epoch reached; None where it is undefined.

        Args:
            epoch: its record, see `mtlx.trainer.validation.history.History`.
        """
        if self.name == SELECTION:
            found = epoch.get("selection")
        else:
            kind, _, task = self.name.partition(":")
            found = epoch.get(_OF_A_TASK[kind], {}).get(task)
        return None if found is None else float(found)

    def reached(self, epochs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, float]]:
        """Of each epoch its number, and what a training that ended there would have reached.

        That is the value of the best epoch so far, by what epochs are selected by.
        """
        best: Mapping[str, Any] | None = None
        for epoch in epochs:
            if best is None or self._selects(epoch["selection"], best["selection"]):
                best = epoch
            value = self.value(best)
            if value is not None and epoch["epoch"] > 0:
                yield epoch["epoch"], value

    def is_better(self, value: float, other: float) -> bool:
        """Whether a value is better than another."""
        return value < other if self.lower_is_better else value > other

    def _selects(self, value: float, best: float) -> bool:
        return value < best if self.selection_lower else value > best
