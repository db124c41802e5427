"""Which epoch is kept: one number per epoch out of what the tasks reach on the validation split."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mtlx.trainer.settings import FEW_POSITIVES, SelectionSettings, TrainingSettings
from mtlx.trainer.validation.measure import Measure
from mtlx.trainer.validation.validation import Validation
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs

#: How the metrics are called where people read.
METRIC_NAMES = {
    "normalised_entropy": "normalised entropy",
    "log_loss": "log loss",
    "auc": "AUC",
    "relative_auc": "relative AUC",
}
#: Metrics of which a smaller value is better.
_LOSSES = ("normalised_entropy", "log_loss")
#: Least 2 AUC − 1 that a ratio is taken of: that of an AUC of 0.505.
_LEAST_RELATIVE_AUC = 0.01


@dataclass(frozen=True)
class Score:
    """An epoch's value.

    Attributes:
        value: what epochs are compared by.
        tasks: the part of each task, of all its domains; None of a task that has no say.
    """

    value: float
    tasks: dict[str, float | None]


class _Cell(NamedTuple):
    """One task on the rows of one domain, or of all (None)."""

    task: str
    domain: str | None
    found: Measure
    weight: float


class Selection:
    """Compares epochs by the weighted mean of what the tasks reach on the validation split.

    With v_t the metric of task t and w_t its weight, an epoch's value is

        Σ_t w_t s_t v_t / Σ_t w_t s_t,    s_t = n_t / (n_t + k),

    n_t the validation rows of the task's rarer class, k `shrinkage`. By default v_t is the
    normalised entropy LL_t / H(p_t): the mean log loss relative to the entropy of the base rate,
    which is the log loss of who knows nothing but that (He et al., Practical Lessons from
    Predicting Clicks on Ads at Facebook, ADKDD 2014). With ``domains: mean`` the sum is over
    domains as well, each with its own rows, base rate and n. ``relative_auc`` takes the weighted
    geometric mean of 2 AUC_t − 1, at least 0.01, so that the ratio of two epochs' values is the
    mean ratio of what the tasks' AUCs have over chance.

    The factor s_t is that of an empirical Bayes estimate. A difference of v_t between two epochs
    is measured as d = δ + error; the error comes from the rows of the rarer class, so that its
    variance is about c / n_t. Where true differences δ have variance g, the best estimate of δ is
    d g / (g + c / n_t) = d n_t / (n_t + c / g): k stands for c / g, and the sum of the estimates is
    the difference of the values above. The factor depends on labels alone and so is the same in
    every epoch, in a resumed training, and for candidate and reference. The default of 100 gives
    half the weight at the number of events from which on a model's validation is trusted
    (`FEW_POSITIVES`); `benchmarks/selection.py` measures what other values of k would choose.

    Of a regression LL_t is the mean squared error and H the labels' variance, so that v_t is
    1 − R², and n_t are its rows. Where rows have weights, means, base rates and AUCs are by them,
    and n_t counts rows.

    A task with one class only, on all validation rows or those of a domain, has no base rate to be
    compared with and no AUC: it does not select there. `warnings` says so.

    Args:
        settings: what is measured, and how it is put together.
        task_weights: of all tasks; 1 where one is not named.
        domains: of the data.
    """

    def __init__(
        self,
        settings: SelectionSettings,
        task_weights: Mapping[str, float] | None = None,
        domains: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        own = settings.task_weights
        self._weights = dict((task_weights or {}) if own is None else own)
        several = settings.domains == "mean" and len(domains) > 1
        self.domains = domains if several else ()

    @classmethod
    def of(cls, training: TrainingSettings, inputs: ModelInputs) -> "Selection":
        """The selection of a training.

        Raises:
            SettingsError: epochs are to be compared by an AUC, which a regression has not.
        """
        selection = cls(training.select_by, training.task_weights, inputs.domains)
        if selection.needs_auc and inputs.regressions:
            text = (
                f"{training.select_by.metric!r} needs labels 0 and 1, and task "
                f"{inputs.regressions[0]!r} is a regression: take 'normalised_entropy' or "
                "'log_loss'"
            )
            raise SettingsError([(("select_by", "metric"), text)])
        return selection

    def of_one_task(self, task: str) -> "Selection":
        """The same for a task that is compared with itself alone, where its weight is no matter."""
        settings = self._settings.model_copy(update={"task_weights": {task: 1.0}})
        return Selection(settings, None, self.domains)

    def selects(self, validation: Validation) -> bool:
        """Whether any task has a say."""
        return any(cell.weight > 0 for cell in self._cells(validation))

    @property
    def name(self) -> str:
        """What is compared, for people."""
        name = METRIC_NAMES[self._settings.metric]
        return f"{name}, mean over domains" if self.domains else name

    @property
    def lower_is_better(self) -> bool:
        """Whether the smallest value is the best."""
        return self._settings.metric in _LOSSES

    @property
    def needs_auc(self) -> bool:
        """Whether measures must hold an AUC."""
        return not self.lower_is_better

    def score(self, validation: Validation) -> Score:
        """The value of an epoch.

        Args:
            validation: the epoch's, with measures by domain where `domains` names some.

        Raises:
            ValueError: no task of a weight above 0 has rows of both classes.
        """
        cells = self._selecting(validation)
        tasks: dict[str, float | None] = {}
        for task in validation.tasks:
            own = [cell for cell in cells if cell.task == task]
            tasks[task] = self._mean(own) if own else None
        return Score(self._mean(cells), tasks)

    def is_better(self, value: float, best: float | None) -> bool:
        """Whether a value beats the best one so far; the first value always does."""
        if best is None:
            return True
        return value < best if self.lower_is_better else value > best

    def shares(self, validation: Validation) -> dict[str, float]:
        """Each task's share of the weights, which add up to 1; 0 of a task without a say."""
        cells = self._cells(validation)
        total = sum(cell.weight for cell in cells) or 1.0
        return {
            task: sum(cell.weight for cell in cells if cell.task == task) / total
            for task in validation.tasks
        }

    def warnings(self, validation: Validation) -> list[str]:
        """Sentences on tasks that have too few rows to select by, or no say at all."""
        shares, found = self.shares(validation), []
        for task in validation.tasks:
            own = [cell for cell in self._cells(validation) if cell.task == task]
            if self._weights.get(task, 1.0) == 0:
                continue
            silent = [cell for cell in own if not cell.found.rarer]
            few = [cell for cell in own if 0 < cell.found.rarer < FEW_POSITIVES]
            if silent:
                found.append(
                    f"Task {task!r} has no say in what is kept{_where(silent, len(own))}: its "
                    "validation rows are not of both classes."
                )
            if few:
                found.append(
                    f"Task {task!r} has too few validation rows of its rarer class to select by "
                    f"(fewer than {FEW_POSITIVES}: {_counts(few)}): much of what its "
                    f"{METRIC_NAMES[self._settings.metric]} gains or loses is chance. Its share in "
                    f"the choice is {shares[task]:.0%}; a larger validation split (data.split) "
                    "would tell more."
                )
        return found

    def record(self, validation: Validation) -> dict[str, object]:
        """What `History.selection` holds of this selection."""
        return {
            "name": self.name,
            **self._settings.model_dump(),
            "lower_is_better": self.lower_is_better,
            "shares": self.shares(validation),
            "rows": {task: found.rows for task, found in validation.tasks.items()},
            "positives": {task: found.positives for task, found in validation.tasks.items()},
            "first_epoch": 1,
        }

    def _cells(self, validation: Validation) -> list[_Cell]:
        groups: Iterable[tuple[str | None, dict[str, Measure]]] = [(None, validation.tasks)]
        if self.domains:
            groups = validation.domains.items()
        return [
            _Cell(task, domain, found, self._weights.get(task, 1.0) * self._shrunk(found.rarer))
            for domain, tasks in groups
            for task, found in tasks.items()
        ]

    def _shrunk(self, rarer: int) -> float:
        return rarer / (rarer + self._settings.shrinkage) if rarer else 0.0

    def _selecting(self, validation: Validation) -> list[_Cell]:
        cells = [cell for cell in self._cells(validation) if cell.weight > 0]
        if not cells:
            raise ValueError(
                "the validation split has no task with both positive and negative rows and a "
                "weight above 0, so no epoch can be selected: give it more rows (data.split), or "
                "such a task a weight (training.select_by.task_weights, training.task_weights)"
            )
        return cells

    def _mean(self, cells: list[_Cell]) -> float:
        values = [self._value(cell.found) for cell in cells]
        weights = [cell.weight for cell in cells]
        if self._settings.metric != "relative_auc":
            return float(np.average(values, weights=weights))
        return float(np.exp(np.average(np.log(values), weights=weights)))

    def _value(self, found: Measure) -> float:
        if self._settings.metric == "normalised_entropy":
            return _measured(found.loss) / found.base_entropy
        if self._settings.metric == "log_loss":
            return _measured(found.loss)
        if self._settings.metric == "auc":
            return _measured(found.auc)
        return max(2 * _measured(found.auc) - 1, _LEAST_RELATIVE_AUC)


def _measured(value: float | None) -> float:
    """A measure of a cell with a weight, which has rows of both classes."""
    if value is None:
        raise ValueError("what has no rows of both classes can't be selected by")
    return value


def _where(cells: list[_Cell], of: int) -> str:
    """In which domains, of so many."""
    if cells[0].domain is None:
        return ""
    names = ", ".join(str(cell.domain) for cell in cells[:5]) + (", ..." if len(cells) > 5 else "")
    return f" in {len(cells)} of {of} domains ({names})"


def _counts(cells: list[_Cell]) -> str:
    """``12 positives of 6,400 rows``, per domain where there are several."""

    def count(cell: _Cell) -> str:
        found = cell.found
        kind = "positives" if found.rarer == found.positives else "negatives"
        domain = "" if cell.domain is None else f"{cell.domain} "
        return f"{domain}{found.rarer:,} {kind} of {found.rows:,} rows"

    return "; ".join(count(cell) for cell in cells[:5]) + ("; ..." if len(cells) > 5 else "")
