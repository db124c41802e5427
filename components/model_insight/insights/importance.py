"""Permutation importance: how much worse a task gets when a feature's values are shuffled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, PositiveInt

from mtlx.components.model_insight.figures import Cell, Figure, Heading, Note, Row, Table
from mtlx.components.model_insight.insights.divergence import divergence_figures
from mtlx.components.model_insight.insights.insight import SEED, Findings, Insight, NotThere
from mtlx.trainer.validation.area_under_curve import area_under_curve

if TYPE_CHECKING:
    from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
    from mtlx.components.model_insight.insight_model import InsightModel

#: The slice of all rows; the others are the domains.
OVERALL = "overall"
#: Rows of a large table that are shown at once.
_SHOWN = 20


@dataclass(frozen=True)
class Measured:
    """What was measured of one task on one slice.

    Attributes:
        value: AUC, or RMSE of a regression, as the model is.
        rows: of the task's population.
        positives: of these, with label 1; of a regression with one above 0.
        losses: by feature ``(repeats,)``, what the AUC lost by each shuffling; of a regression what
            the RMSE gained, in the unit of the labels. Above 0 the model needs the feature.
        regression: whether labels are numbers.
    """

    value: float
    rows: int
    positives: int
    losses: dict[str, np.ndarray]
    regression: bool = False

    @property
    def metric(self) -> str:
        """What was measured, for people."""
        return "RMSE" if self.regression else "AUC"

    @property
    def digits(self) -> int:
        """Decimals that an importance is shown with: numbers may be of any size."""
        largest = max([abs(one) for one in self.importance.values()], default=0.0)
        if not self.regression or largest == 0:
            return 4
        return int(np.clip(3 - np.floor(np.log10(largest)), 0, 9))

    @property
    def facts(self) -> str:
        """The task as the model is, in words."""
        if self.regression:
            shown = _shown(self.value)
            return f"RMSE {shown} in the unit of its labels, on {self.rows:,} rows"
        return f"AUC {self.value:.4f} on {self.rows:,} rows, {self.positives:,} with the action"

    @property
    def importance(self) -> dict[str, float]:
        """The mean loss by feature."""
        return {name: float(losses.mean()) for name, losses in self.losses.items()}

    @property
    def error(self) -> dict[str, float]:
        """Standard error of that mean over the shufflings."""
        return {
            name: float(losses.std(ddof=1) / np.sqrt(len(losses)))
            for name, losses in self.losses.items()
        }

    def clear(self, feature: str) -> bool:
        """Whether a feature's importance is above 0 by two standard errors."""
        mean = self.importance[feature]
        return mean > 0 and mean > 2 * self.error[feature]


class Importance(Insight):
    """Permutation importance (Breiman 2001), per task as in DTN (Eq. 2, Table 1, Fig. 2).

    FI_k(X) = AUC_k − AUC_k after X's values were shuffled over the rows; the mean of several
    shufflings, and its standard error, which is the chance of shuffling alone: of other rows the
    importance would differ by more. Of a task whose labels are numbers it is RMSE_k after that −
    RMSE_k, in the unit of the labels: XAUC, as the evaluation has it, would take minutes.

    What a sequence's behaviours have beside each other is shuffled together, and so are all forms
    of one number, and the domain with its feature. Rows count for what they weigh (`data.weight`,
    `tasks.*.weight`). Features that say the same stand in for each other: each of them then counts
    for little by itself.

    Args:
        rows: it looks at so many at most.
        repeats: shufflings of each feature.
    """

    title = "Feature importance"

    def __init__(
        self,
        *,
        rows: PositiveInt = 60_000,
        repeats: Annotated[int, Field(ge=2)] = 5,
    ) -> None:
        self.rows, self.repeats = rows, repeats

    def find(
        self, model: "InsightModel", rows: "EvaluatedRows", progress: Callable[[str], None]
    ) -> Findings:
        """See Insight."""
        places = _measurable(model, rows)
        measured = self._measure(model, rows, places, progress)
        return Findings(
            _figures(model, measured, len(rows), self.repeats),
            _values(measured, self.repeats),
            _headline(measured),
        )

    def _measure(
        self,
        model: "InsightModel",
        rows: "EvaluatedRows",
        places: Mapping[tuple[str, str], np.ndarray],
        progress: Callable[[str], None],
    ) -> dict[tuple[str, str], Measured]:
        """By task and slice."""

        def values(predictions: np.ndarray) -> np.ndarray:
            return np.array(
                [
                    _value(rows, predictions, model.tasks.index(task), chosen, task in numbers)
                    for (task, _), chosen in places.items()
                ]
            )

        numbers = model.regressions
        # An error grows where an AUC falls.
        sign = np.array([-1.0 if task in numbers else 1.0 for task, _ in places])
        random = np.random.default_rng(SEED)
        before = model.probabilities(rows.features)
        base = values(before)
        losses: dict[str, np.ndarray] = {}  # (repeats, places)
        columns = model.columns
        for number, (feature, keys) in enumerate(columns.items(), 1):
            losses[feature] = np.zeros((self.repeats, len(base)))
            for repeat in range(self.repeats):
                progress(
                    f"importance of {feature}, feature {number} of {len(columns)}, "
                    f"shuffling {repeat + 1} of {self.repeats}"
                )
                order = random.permutation(len(rows))
                shuffled = {key: rows.features[key][order] for key in keys if key in rows.features}
                after = model.probabilities({**rows.features, **shuffled})
                if repeat == 0 and np.array_equal(after, before):
                    break  # The model does not read it, or it is the same in all rows.
                losses[feature][repeat] = sign * (base - values(after))
        found = {}
        for index, ((task, part), chosen) in enumerate(places.items()):
            labels = rows.labels[chosen, model.tasks.index(task)]
            of_place = {feature: of[:, index] for feature, of in losses.items()}
            found[task, part] = Measured(
                float(base[index]),
                len(chosen),
                int(np.count_nonzero(labels > 0)),
                of_place,
                task in numbers,
            )
        return found


def _measurable(model: "InsightModel", rows: "EvaluatedRows") -> dict[tuple[str, str], np.ndarray]:
    """The rows of every task and slice that have both classes, or numbers that differ.

    Raises:
        NotThere: no task has.
    """
    slices = {OVERALL: np.ones(len(rows), bool)}
    if len(model.domains) > 1:
        slices |= {name: rows.domains == place for place, name in enumerate(model.domains)}
    found = {}
    for index, task in enumerate(model.tasks):
        for name, inside in slices.items():
            chosen = np.flatnonzero(inside & rows.counts[:, index])
            labels = np.unique(rows.labels[chosen, index])
            if len(labels) > 1 if task in model.regressions else np.array_equal(labels, [0.0, 1.0]):
                found[task, name] = chosen
    if not any(name == OVERALL for _, name in found):
        raise NotThere(
            f"none of the tasks has rows with and without the action among the {len(rows):,} rows"
        )
    return found


def _value(
    rows: "EvaluatedRows", predictions: np.ndarray, task: int, chosen: np.ndarray, number: bool
) -> float:
    """The AUC of a task on chosen rows, or its RMSE, where rows count for what they weigh."""
    weights = None if rows.weights is None else rows.weights[chosen, task].astype(np.float64)
    labels, predicted = rows.labels[chosen, task], predictions[chosen, task]
    if number:
        errors = predicted.astype(np.float64) - labels
        return float(np.sqrt(np.average(errors**2, weights=weights)))
    # Both classes are there.
    return area_under_curve(labels, predicted, weights) or 0.0


def _shown(number: float) -> str:
    """A number of any size, with four digits."""
    return f"{number:,.{int(np.clip(3 - np.floor(np.log10(abs(number) or 1.0)), 0, 9))}f}"


def _values(measured: Mapping[tuple[str, str], Measured], repeats: int) -> dict[str, Any]:
    tasks: dict[str, dict[str, Any]] = {}
    for (task, part), found in measured.items():
        tasks.setdefault(task, {})[part] = {
            "rmse" if found.regression else "auc": found.value,
            "rows": found.rows,
            "positives": found.positives,
            "importance": found.importance,
            "error": found.error,
        }
    return {"repeats": repeats, "tasks": tasks}


def _overall(measured: Mapping[tuple[str, str], Measured]) -> dict[str, Measured]:
    return {task: found for (task, part), found in measured.items() if part == OVERALL}


def _headline(measured: Mapping[tuple[str, str], Measured]) -> str:
    words = []
    for task, found in _overall(measured).items():
        feature = max(found.importance, key=found.importance.__getitem__)
        if found.clear(feature):
            words.append(f"{feature} for {task} ({_of_headline(found, feature)})")
    return f"Most important: {', '.join(words)}" if words else ""


def _of_headline(found: Measured, feature: str) -> str:
    importance = found.importance[feature]
    return f"{_shown(importance)} of RMSE" if found.regression else f"{importance:.3f} of AUC"


def _figures(
    model: "InsightModel", measured: Mapping[tuple[str, str], Measured], rows: int, repeats: int
) -> list[Figure]:
    overall = _overall(measured)
    order = _order(overall)
    facts = "; ".join(f"{task}: {found.facts}" for task, found in overall.items())
    loses = "What a task's AUC loses"
    if any(found.regression for found in overall.values()):
        loses += ", or the RMSE of a task whose labels are numbers gains,"
    missing = [task for task in model.tasks if task not in overall]
    figures: list[Figure] = [
        Note(
            text=f"{loses} when the values of one feature are shuffled over "
            f"{rows:,} rows: the mean of {repeats} shufflings ± its standard error, which is "
            "the chance of shuffling alone: on other rows it would differ by more. Features that "
            f"say the same stand in for each other, and each then counts for little. {facts}."
        ),
        _table(f"Importance, all {rows:,} rows", overall, order),
    ]
    if missing:
        text = f"Without two different labels among these rows: {', '.join(missing)}."
        figures.append(Note(text=text))
    for domain in model.domains if len(model.domains) > 1 else ():
        found = {task: one for (task, part), one in measured.items() if part == domain}
        if found:
            figures.append(_table(f"Importance in {domain}", found, order, folded=True))
    if len(overall) > 1:
        figures.append(Heading(text="Where tasks part ways"))
        figures += divergence_figures(overall)
    return figures


def _order(overall: Mapping[str, Measured]) -> list[str]:
    """Features by the largest part that they have of any task's largest importance."""
    features = next(iter(overall.values())).losses

    def part(feature: str) -> float:
        parts = []
        for found in overall.values():
            largest = max(found.importance.values())
            parts.append(found.importance[feature] / largest if largest > 0 else 0.0)
        return max(parts)

    return sorted(features, key=part, reverse=True)


def _table(
    title: str, found: Mapping[str, Measured], order: list[str], folded: bool = False
) -> Table:
    largest = {task: max([*one.importance.values(), 0.0]) for task, one in found.items()}
    rows = []
    for feature in order:
        cells = []
        for task, one in found.items():
            value = one.importance[feature]
            bar = max(value, 0.0) / largest[task] if largest[task] else 0.0
            cells.append(Cell(value=value, error=one.error[feature], bar=bar, digits=one.digits))
        rows.append(Row(head=feature, cells=cells))
    numbers = any(one.regression for one in found.values())
    heads = [f"{task}, {one.metric}" if numbers else task for task, one in found.items()]
    return Table(title=title, columns=["Feature", *heads], rows=rows, shown=_SHOWN, folded=folded)
