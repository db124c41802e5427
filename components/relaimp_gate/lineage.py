"""Which model has seen which rows, and whose test rows are newer."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples
from mtlx.components.relaimp_gate.verdict import ModelLineage

_UNKNOWN = "not known"


@dataclass(frozen=True)
class Lineage:
    """What is known of the rows behind a decision.

    Attributes:
        models: one record per model, the candidate first.
        older: a sentence without its end where the candidate was tested on older rows than the
            model that it would replace; None where it was not, or where that cannot be known.
    """

    models: list[ModelLineage] = field(default_factory=list)
    older: str | None = None


def lineage(
    today: SeenExamples | None,
    others: dict[str, SeenExamples | None],
    served: SeenExamples | None,
) -> Lineage:
    """Puts together what can be known.

    Args:
        today: the examples of this run; None where they are not given.
        others: of the models that the candidate is compared with, by name; None where nothing is
            known of one, such as a given model.
        served: of the model that the candidate would replace; None where there is none.
    """
    if today is None:
        return Lineage()
    models = [_record("candidate", today, today)]
    models += [_record(name, today, seen) for name, seen in others.items()]
    return Lineage(models, _older(today, served) if served is not None else None)


def _record(model: str, today: SeenExamples, seen: SeenExamples | None) -> ModelLineage:
    if seen is None:
        return ModelLineage(model, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN)
    least, most = seen_test_rows(today, seen) or (None, None)
    rows = today.rows.get("test", 0)
    if most is None:
        words = _UNKNOWN
    elif most == 0:
        words = "none"
    elif least == most:
        words = f"{most:,} of {rows:,}"
    else:
        words = f"between {least:,} and {most:,} of {rows:,}"
    return ModelLineage(
        model,
        _examples(today, seen),
        _rows(seen, ("train", "validation")),
        _rows(seen, ("test",)),
        words,
        leaks=bool(most),
    )


def _examples(today: SeenExamples, seen: SeenExamples) -> str:
    """The portion of the logs and its files, and how many of them are read today."""
    if today.uri == seen.uri or not today.files or not seen.files:
        return seen.words
    shared = sum(
        path in today.files and today.files[path].identity == file.identity
        for path, file in seen.files.items()
    )
    return f"{seen.words} ({shared:,} of them read now, too)"


def _rows(seen: SeenExamples, splits: tuple[str, ...]) -> str:
    """``800 train, 100 validation``, with the time range where the split is by time."""
    if not seen.rows:
        return _UNKNOWN
    parts = []
    for split in splits:
        text = f"{seen.rows.get(split, 0):,} {split}"
        if split in seen.times:
            first, last = seen.times[split]
            text += f" ({seen.time_column} {_short(first)} to {_short(last)})"
        parts.append(text)
    return ", ".join(parts)


def _short(time: float | str) -> str:
    return f"{time:.15g}" if isinstance(time, float) else str(time)


def seen_test_rows(today: SeenExamples, other: SeenExamples) -> tuple[int, int] | None:
    """How many of today's test rows a model was trained or selected on: least and most.

    What the models saw that it went on from counts, too. Files tell it, by the rows that each gave
    to each split: exactly where a file went into one split as a whole; else it lies between two
    bounds. Of files that changed since, the rows may be others.

    Args:
        today: the examples of this run.
        other: those of the model.

    Returns:
        None where it cannot be known.
    """
    found = [_seen_by_one(today, one) for one in (other, *other.before)]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    most = sum(one[1] for one in known)
    return max(one[0] for one in known), min(most, today.rows.get("test", most))


def _seen_by_one(today: SeenExamples, other: SeenExamples) -> tuple[int, int] | None:
    """What `seen_test_rows` says of one training."""
    if today.uri == other.uri:
        return 0, 0
    if not today.files or not other.files:
        return (0, 0) if _apart(today, other) else None
    if _trained_before(today, other):
        return 0, 0
    least = most = 0
    same_input, by = today.files == other.files, today.split["by"]
    # Of spans it is decided per run whether they train or test, whatever the split says.
    same_rule = today.split == other.split and by != "span" and (by != "row" or same_input)
    for path, file in today.files.items():
        then = other.files.get(path)
        if then is None:
            continue
        if then.identity == file.identity and same_rule:
            continue  # Every row went the same way then as now.
        test, trained = file.rows.get("test", 0), then.trained
        if then.identity == file.identity:
            least += max(0, test + trained - sum(file.rows.values()))
        most += min(test, trained)
    return least, most


def _apart(today: SeenExamples, other: SeenExamples) -> bool:
    """Whether the model was trained on other portions of the logs than those that test now."""
    test = today.tested_spans or {span for span in (today.span,) if span is not None}
    trained = other.trained_spans or {span for span in (other.span,) if span is not None}
    return bool(test) and bool(trained) and not test & trained


def _trained_before(today: SeenExamples, other: SeenExamples) -> bool:
    """Split by the same time, the model's rows all end before today's test rows begin."""
    if today.time_column is None or today.time_column != other.time_column:
        return False
    ends = [other.times[name][1] for name in ("train", "validation") if name in other.times]
    if not ends or "test" not in today.times:
        return False
    begin = instant(today.times["test"][0])
    return all(earlier(instant(end), begin) for end in ends)


def _older(today: SeenExamples, served: SeenExamples) -> str | None:
    if today.span is not None and served.span is not None:
        if today.span >= served.span:
            return None
        return (
            f"the candidate was tested on {today.span_words}, older than {served.span_words} on "
            "which the model blessed last was tested"
        )
    same_time = today.time_column == served.time_column
    if same_time and "test" in today.times and "test" in served.times:
        now, then = (seen.times["test"][1] for seen in (today, served))
        if earlier(instant(now), instant(then)):
            return (
                f"the candidate was tested on rows up to {_short(now)}, older than those of the "
                f"model blessed last, up to {_short(then)} ({today.time_column})"
            )
    return None


def instant(time: float | str) -> float | pd.Timestamp | str:
    """A time that can be compared: a number, an instant, or the text itself."""
    if not isinstance(time, str):
        return time
    parsed = pd.to_datetime(time, utc=True, errors="coerce")
    if not pd.isna(parsed) and not time.strip().isdigit():
        return parsed
    try:
        return float(time)
    except ValueError:
        return time


def earlier(first: Any, second: Any) -> bool:
    """Whether two of `instant`'s are of one kind, and the first lies before the second."""
    numbers = isinstance(first, int | float) and isinstance(second, int | float)
    return (numbers or type(first) is type(second)) and bool(first < second)
