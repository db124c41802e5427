"""Drawings of a search: values over trials, and over each setting."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from mtlx.components.report.formatting import fixed
from mtlx.pipeline.tune.report.findings import DIGITS
from mtlx.pipeline.tune.space import shown
from mtlx.pipeline.tune.tuning_record import TrialRow, TuningRecord

#: Of the curve, in its own units; of the small drawings, one per setting.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 260, 64, 12, 12, 30
SMALL = 300
#: Share of the trials that came to their end which the axis has room for; others lie at its edge.
_ROOM = 0.8
#: Numbers of which there are so few stand beside each other, as other choices do.
_FEW = 6


@dataclass(frozen=True)
class Dot:
    """A trial in a drawing.

    Attributes:
        x: of it.
        y: of it.
        kind: its state, or ``best``.
        text: for who points at it.
    """

    x: float
    y: float
    kind: str
    text: str


@dataclass(frozen=True)
class Drawing:
    """Trials as dots.

    Attributes:
        title: what is drawn.
        width: of the whole.
        dots: trials.
        path: of the best value so far, as a polyline's points; empty without.
        x_ticks: position and text.
        y_ticks: likewise.
    """

    title: str
    width: int
    dots: list[Dot]
    path: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def curve(record: TuningRecord) -> Drawing | None:
    """Values over trials, with the best so far; None before any came to its end."""
    y, ticks = _scale(record)
    if y is None:
        return None
    last = max(len(record.trials), 2)
    x = _between(1, last, WIDTH)
    points: list[tuple[float, float]] = []
    for number, value in record.best_so_far():
        points += [(x(number), points[-1][1])] if points else []
        points.append((x(number), y(value)))
    points.append((x(last), points[-1][1]))
    marks = MaxNLocator(8, integer=True).tick_values(1, last)
    x_ticks = [(x(mark), f"{mark:.0f}") for mark in marks if 1 <= mark <= last]
    dots = _dots(record, lambda row: x(row.number), y)
    path = " ".join(f"{one:.1f},{other:.1f}" for one, other in points)
    return Drawing("trials", WIDTH, dots, path, x_ticks, ticks)


def by_setting(record: TuningRecord) -> list[Drawing]:
    """Values over each setting, the settings that mattered most first."""
    y, ticks = _scale(record)
    if y is None:
        return []
    names = [*record.importances, *(one for one in record.space if one not in record.importances)]
    found = []
    for name in names:
        x, x_ticks = _setting_scale([row.settings[name] for row in record.trials])
        dots = _dots(record, functools.partial(_along, x, name), y)
        found.append(Drawing(name, SMALL, dots, "", x_ticks, ticks))
    return found


def _along(x: Callable[[Any], float], name: str, row: TrialRow) -> float:
    return x(row.settings[name])


def _dots(
    record: TuningRecord, x: Callable[[TrialRow], float], y: Callable[[float], float]
) -> list[Dot]:
    best, found = record.best, []
    for row in record.trials:
        settings = ", ".join(f"{name} {shown(value)}" for name, value in row.settings.items())
        text = f"trial {row.number}: {row.state}, {fixed(row.value, DIGITS)}, {settings}"
        place = HEIGHT - BOTTOM if row.value is None else y(row.value)
        found.append(Dot(x(row), place, "best" if row is best else row.state, text))
    # The best one is drawn over the others.
    return sorted(found, key=lambda dot: dot.kind == "best")


def _scale(
    record: TuningRecord,
) -> tuple[Callable[[float], float] | None, list[tuple[float, str]]]:
    """Heights of values, the best above; and the ticks."""
    values = [row.value for row in record.ranked if row.value is not None]
    if not values:
        return None, []
    best, worst = values[0], values[math.ceil(_ROOM * len(values)) - 1]
    reach = abs(worst - best) or abs(best) * 1e-3 or 1.0
    sign = 1 if record.lower_is_better else -1
    # Room above the best, and for those that are a little worse than most.
    first, last = best - sign * 0.06 * reach, best + sign * 1.2 * reach

    def y(value: float) -> float:
        share = (value - first) / (last - first)
        return TOP + min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)

    low, high = sorted((first, last))
    marks = [mark for mark in MaxNLocator(5).tick_values(low, high) if low <= mark <= high]
    return y, [(y(mark), f"{mark:.5g}") for mark in marks]


def _setting_scale(
    values: Sequence[Any],
) -> tuple[Callable[[Any], float], list[tuple[float, str]]]:
    numbers = [value for value in values if isinstance(value, int | float)]
    plain = len(numbers) == len(values) and not any(isinstance(one, bool) for one in values)
    if not plain or len(set(numbers)) <= min(_FEW, len(values) // 2):
        texts = list(dict.fromkeys(shown(one) for one in (sorted(numbers) if plain else values)))
        place = _between(-0.5, len(texts) - 0.5, SMALL)
        ticks = [(place(index), text) for index, text in enumerate(texts)]
        return lambda value: place(texts.index(shown(value))), ticks
    low, high = min(numbers), max(numbers)
    if low > 0 and high / low > 30:
        along = _between(math.log(low), math.log(high), SMALL)
        marks = [10.0**power for power in range(-12, 13) if low <= 10.0**power <= high]
        return lambda value: along(math.log(value)), [
            (along(math.log(one)), f"{one:g}") for one in (marks or [low, high])
        ]
    along = _between(low, high, SMALL)
    marks = [mark for mark in MaxNLocator(4).tick_values(low, high) if low <= mark <= high]
    return along, [(along(mark), f"{mark:g}") for mark in marks]


def _between(low: float, high: float, width: int) -> Callable[[float], float]:
    reach = (high - low) or 1.0

    def place(value: float) -> float:
        return LEFT + 8 + (value - low) / reach * (width - LEFT - RIGHT - 16)

    return place
