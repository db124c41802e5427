"""Which differences are decided, and what place each model has in a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mtlx.pipeline.compare.comparison_record import OVERALL, ComparisonRecord, Row

Verdict = Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class Rank:
    """The place of a model in a task.

    Attributes:
        place: 1 for the best mean.
        label: of the model.
        against_best: ``worse``, or ``undecided`` where it may be as good; of the best itself too.
        against_reference: ``undecided`` for the reference itself.
    """

    place: int
    label: str
    against_best: Verdict
    against_reference: Verdict


def ranks(record: ComparisonRecord, task: str) -> list[Rank]:
    """The models that have a value in a task, the best first.

    A difference is decided where chance alone would hardly give any such one in the whole task. The
    reference is named beforehand: of the K − 1 differences to it p-values are taken by Holm (1979).
    Which model is the best was seen in the data, and so each difference to it counts as one of all
    K (K − 1) / 2 pairs (Bonferroni).
    """
    rows = in_order(record, task)
    level = 1 - record.confidence
    pairs = len(rows) * (len(rows) - 1) / 2
    decided = holm(
        {row.label: p for row in rows if (p := _p_of_reference(row, task)) is not None}, level
    )
    found = []
    for place, row in enumerate(rows, start=1):
        best = row.over_best.get(task)
        behind = best is not None and best.p_value is not None and best.p_value * pairs < level
        verdict: Verdict = "undecided"
        if row.label in decided:
            gain = row.over_reference[task, OVERALL].value or 0.0
            verdict = "better" if (gain > 0) != (task in record.lower_is_better) else "worse"
        found.append(Rank(place, row.label, "worse" if behind else "undecided", verdict))
    return found


def in_order(record: ComparisonRecord, task: str) -> list[Row]:
    """The models with a value in a task, the best mean first."""
    sign = 1 if task in record.lower_is_better else -1
    valued = [(sign * value, row) for row in record.rows if (value := row.value(task)) is not None]
    return [row for _, row in sorted(valued, key=lambda pair: pair[0])]


def sentences(record: ComparisonRecord) -> list[str]:
    """What can be said of each task, and what cannot."""
    found = []
    for task in record.tasks:
        order = ranks(record, task)
        if len(order) < 2:
            continue
        equal = [rank.label for rank in order[1:] if rank.against_best == "undecided"]
        best = order[0].label
        if equal:
            text = f"{task}: {best} has the best mean, but whether it is better than "
            text += f"{_listed(equal)} is not decided"
        else:
            text = f"{task}: {best} is the best; its lead over every other model is decided"
        for verdict in ("better", "worse"):
            own = [rank.label for rank in order if rank.against_reference == verdict]
            if own:
                text += f"; decidedly {verdict} than the reference {record.reference}: "
                text += _listed(own)
        found.append(text)
    return found


def holm(p_values: Mapping[str, float], level: float) -> set[str]:
    """The hypotheses that fall, at a level for all of them together (Holm 1979)."""
    fallen: set[str] = set()
    for place, label in enumerate(sorted(p_values, key=lambda one: p_values[one])):
        if p_values[label] * (len(p_values) - place) >= level:
            break
        fallen.add(label)
    return fallen


def _p_of_reference(row: Row, task: str) -> float | None:
    found = row.over_reference.get((task, OVERALL))
    return None if found is None else found.p_value


def _listed(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
