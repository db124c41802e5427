"""Writes what is known of a run for people."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from mtlx.pipeline.run.record.run_summary import Interval, RunSummary

#: What stands where nothing is known.
NONE = "\N{EN DASH}"
_UNIX_EPOCH = datetime.date(1970, 1, 1)
_UNITS = ("B", "kB", "MB", "GB", "TB")


def moment(run: RunSummary) -> str:
    """When a run began, ``2026-11-27 03:00``; its name where that is not known."""
    return run.begun[:16].replace("T", " ") if run.begun else run.run_id


def spans(run: RunSummary) -> str:
    """``2026-11-20 to 2026-11-26, tested on 2026-11-27``; one number where both are the same."""
    if not run.spans:
        return NONE
    days = bool(run.spans.get("days"))
    train, test = (_range(run.spans.get(role, ()), days) for role in ("train", "test"))
    if train == test or not (train and test):
        return train or test or NONE
    return f"{train}, tested on {test}"


def spans_in_short(run: RunSummary) -> str:
    """``2026-11-27, trained on 7``: the newest span, and how many went before it."""
    if not run.spans:
        return NONE
    train, test = (run.spans.get(role, ()) for role in ("train", "test"))
    if not test or list(train) == list(test):
        return spans(run)
    number = f"{len(train)} span" + ("" if len(train) == 1 else "s")
    return f"{_range(test, bool(run.spans.get('days')))}, trained on {number}"


def moved(run: RunSummary) -> str:
    """``drift``, ``skew`` or both, where either was found."""
    found = {"drift": run.drift, "skew": run.skew}
    return ", ".join(name for name, words in found.items() if words) or NONE


def number(found: Interval | None, digits: int, sign: bool = False) -> str:
    """A value without its interval: ``0.7421``, ``+1.20``."""
    if found is None or found[0] is None:
        return NONE
    return f"{found[0]:{'+' if sign else ''}.{digits}f}"


def size(number: int | None) -> str:
    """``1.2 MB``."""
    if number is None:
        return NONE
    amount, unit = float(number), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def tasks_of(runs: Iterable[RunSummary]) -> list[str]:
    """The tasks of all runs, in the order in which they came up."""
    return list(dict.fromkeys(task for run in runs for task in run.auc))


def _range(numbers: Sequence[Any], days: bool) -> str:
    """Spans that follow each other as one: ``1 to 7``, ``1 to 3 and 5``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    texts = [
        _span(part[0], days)
        if len(part) == 1
        else f"{_span(part[0], days)} to {_span(part[-1], days)}"
        for part in parts
    ]
    return " and ".join([*([", ".join(texts[:-1])] if texts[:-1] else []), *texts[-1:]])


def _span(number: int, days: bool) -> str:
    return str(_UNIX_EPOCH + datetime.timedelta(days=number)) if days else str(number)
