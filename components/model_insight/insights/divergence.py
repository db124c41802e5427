"""Features that matter to one task and not to another (DTN, Table 1 and Fig. 2)."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mtlx.components.model_insight.figures import Cell, Figure, Note, Plot, Row, Series, Table

if TYPE_CHECKING:
    from mtlx.components.model_insight.insights.importance import Measured

#: Pairs of tasks that are drawn, those that part most.
_PAIRS = 3
#: Features of a pair's table.
_LISTED = 10
#: Features that are named in a pair's plot.
_NAMED = 6


def divergence_figures(measured: "Mapping[str, Measured]") -> list[Figure]:
    """A scatter of the importance in two tasks, and the features whose rank differs most.

    Only features that are clear in one of the two tasks have a rank that is no chance; the others
    are drawn, and not listed.

    Args:
        measured: by task.
    """
    pairs = sorted(itertools.combinations(measured, 2), key=lambda pair: -_parted(measured, *pair))
    figures: list[Figure] = []
    if len(pairs) > _PAIRS:
        text = f"The {_PAIRS} of {len(pairs)} pairs of tasks whose ranks differ most."
        figures.append(Note(text=text))
    listed = {pair: _listed(measured, *pair) for pair in pairs[:_PAIRS]}
    figures += [_plot(measured, *pair, names) for pair, names in listed.items()]
    for place, ((first, second), names) in enumerate(listed.items()):
        if names:
            figures.append(_table(measured, first, second, names, folded=place > 0))
        else:
            text = f"No feature is clearly important to {first} or {second}."
            figures.append(Note(text=text))
    return figures


def ranks(importance: Mapping[str, float]) -> dict[str, int]:
    """Places by importance, 1 for the most important feature."""
    order = sorted(importance, key=lambda name: -importance[name])
    return {name: place for place, name in enumerate(order, 1)}


def _parted(measured: "Mapping[str, Measured]", first: str, second: str) -> float:
    """How far the ranks of two tasks are apart, in the mean over clear features."""
    one, other = ranks(measured[first].importance), ranks(measured[second].importance)
    clear = [name for name in one if _clear(measured, first, second, name)]
    return float(np.mean([abs(one[name] - other[name]) for name in clear])) if clear else 0.0


def _clear(measured: "Mapping[str, Measured]", first: str, second: str, name: str) -> bool:
    return measured[first].clear(name) or measured[second].clear(name)


def _listed(measured: "Mapping[str, Measured]", first: str, second: str) -> list[str]:
    one, other = ranks(measured[first].importance), ranks(measured[second].importance)
    clear = [name for name in one if _clear(measured, first, second, name)]
    return sorted(clear, key=lambda name: -abs(one[name] - other[name]))[:_LISTED]


def _plot(measured: "Mapping[str, Measured]", first: str, second: str, listed: list[str]) -> Plot:
    one, other = measured[first].importance, measured[second].importance
    names = list(one)
    clear = [name for name in names if _clear(measured, first, second, name)]
    rest = [name for name in names if name not in clear]
    parts = (("clear in one of the two", clear, False), ("within chance in both", rest, True))
    series = [
        Series(
            name=title,
            points=[(one[name], other[name]) for name in some],
            labels=some,
            faint=faint,
        )
        for title, some, faint in parts
        if some
    ]
    named = [max(names, key=one.__getitem__), max(names, key=other.__getitem__), *listed]
    digits = measured[first].digits, measured[second].digits
    description = f"Importance of {len(names)} features for {first} and {second}; " + ", ".join(
        f"{name} {one[name]:.{digits[0]}f} and {other[name]:.{digits[1]}f}" for name in listed[:3]
    )
    return Plot(
        title=f"{first} and {second}",
        description=description,
        series=series,
        x_title=_axis(measured, first),
        y_title=_axis(measured, second),
        named=list(dict.fromkeys(named))[:_NAMED],
    )


def _axis(measured: "Mapping[str, Measured]", task: str) -> str:
    unit = " (RMSE)" if measured[task].regression else ""
    return f"importance for {task}{unit}"


def _table(
    measured: "Mapping[str, Measured]", first: str, second: str, listed: list[str], folded: bool
) -> Table:
    columns = ["Feature"]
    for task in (first, second):
        columns += [task, "rank"]
    places = {task: ranks(measured[task].importance) for task in (first, second)}
    rows = []
    for name in listed:
        cells = []
        for task in (first, second):
            found = measured[task]
            value, error = found.importance[name], found.error[name]
            cells.append(Cell(value=value, error=error, digits=found.digits))
            cells.append(Cell(value=places[task][name], digits=0))
        rows.append(Row(head=name, cells=cells))
    title = f"Features whose rank differs most between {first} and {second}"
    return Table(title=title, columns=columns, rows=rows, folded=folded)
