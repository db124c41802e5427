"""Permutation importance: what a task's AUC loses when a feature's values are shuffled."""

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
        auc: as the model is.
        rows: of the task's population.
        positives: of these, with label 1.
        drops: by feature ``(repeats,)``, what the AUC lost by each shuffling.
    """

    auc: float
    rows: int
    positives: int
    drops: dict[str, np.ndarray]

    @property
    def importance(self) -> dict[str, float]:
        """The mean drop by feature."""
        return {name: float(drops.mean()) for name, drops in self.drops.items()}

    @property
    def error(self) -> dict[str, float]:
        """Standard error of that mean over the shufflings."""
        return {
            name: float(drops.std(ddof=1) / np.sqrt(len(drops)))
            for name, drops in self.drops.items()
        }

    def clear(self, feature: str) -> bool:
        """Whether a feature's importance is above 0 by two standard errors."""
        mean = self.importance[feature]
        return mean > 0 and mean > 2 * self.error[feature]


class Importance(Insight):
    """Permutation importance (Breiman 2001), per task as in DTN (Eq. 2, Table 1, Fig. 2).

    FI_k(X) = AUC_k − AUC_k after X's values were shuffled over the rows; the mean of several
    shufflings, and its standard error. That is the chance of shuffling alone: of other rows the
    importance would differ by more. What a sequence's behaviours have beside each other is shuffled
    together, and so are all forms of one number, and the domain with its feature. Rows count in the
    AUC for what they weigh (`data.weight`, `tasks.*.weight`). Features that say
    the same stand in for each other: each of them then counts for little by itself.

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

        def aucs(probabilities: np.ndarray) -> np.ndarray:
            return np.array(
                [
                    _auc(rows, probabilities, model.tasks.index(task), chosen)
                    for (task, _), chosen in places.items()
                ]
            )

        random = np.random.default_rng(SEED)
        before = model.probabilities(rows.features)
        base = aucs(before)
        drops: dict[str, np.ndarray] = {}  # (repeats, places)
        columns = model.columns
        for number, (feature, keys) in enumerate(columns.items(), 1):
            drops[feature] = np.zeros((self.repeats, len(base)))
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
                drops[feature][repeat] = base - aucs(after)
        found = {}
        for index, ((task, part), chosen) in enumerate(places.items()):
            labels = rows.labels[chosen, model.tasks.index(task)]
            of_place = {feature: values[:, index] for feature, values in drops.items()}
            found[task, part] = Measured(
                float(base[index]), len(chosen), int(labels.sum()), of_place
            )
        return found


def _measurable(model: "InsightModel", rows: "EvaluatedRows") -> dict[tuple[str, str], np.ndarray]:
    """The rows of every task and slice that have both classes.

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
            if np.array_equal(np.unique(rows.labels[chosen, index]), [0.0, 1.0]):
                found[task, name] = chosen
    if not any(name == OVERALL for _, name in found):
        raise NotThere(
            f"none of the tasks has rows with and without the action among the {len(rows):,} rows"
        )
    return found


def _auc(rows: "EvaluatedRows", probabilities: np.ndarray, task: int, chosen: np.ndarray) -> float:
    weights = None if rows.weights is None else rows.weights[chosen, task].astype(np.float64)
    # Both classes are there.
    return area_under_curve(rows.labels[chosen, task], probabilities[chosen, task], weights) or 0.0


def _values(measured: Mapping[tuple[str, str], Measured], repeats: int) -> dict[str, Any]:
    tasks: dict[str, dict[str, Any]] = {}
    for (task, part), found in measured.items():
        tasks.setdefault(task, {})[part] = {
            "auc": found.auc,
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
            words.append(f"{feature} for {task} ({found.importance[feature]:.3f} of AUC)")
    return f"Most important: {', '.join(words)}" if words else ""


def _figures(
    model: "InsightModel", measured: Mapping[tuple[str, str], Measured], rows: int, repeats: int
) -> list[Figure]:
    overall = _overall(measured)
    order = _order(overall)
    facts = "; ".join(
        f"{task}: AUC {found.auc:.4f} on {found.rows:,} rows, {found.positives:,} with the action"
        for task, found in overall.items()
    )
    missing = [task for task in model.tasks if task not in overall]
    figures: list[Figure] = [
        Note(
            text=f"What a task's AUC loses when the values of one feature are shuffled over "
            f"{rows:,} rows: the mean of {repeats} shufflings ± its standard error, which is "
            "the chance of shuffling alone: on other rows it would differ by more. Features that "
            f"say the same stand in for each other, and each then counts for little. {facts}."
        ),
        _table(f"Importance, all {rows:,} rows", overall, order),
    ]
    if missing:
        text = f"Without both classes among these rows: {', '.join(missing)}."
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
    features = next(iter(overall.values())).drops

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
            cells.append(Cell(value=value, error=one.error[feature], bar=bar))
        rows.append(Row(head=feature, cells=cells))
    return Table(title=title, columns=["Feature", *found], rows=rows, shown=_SHOWN, folded=folded)
