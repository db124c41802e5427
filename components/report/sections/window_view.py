"""The spans of a run's window, and what was read of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfx import types

from mtlx.components.log_example_gen.ingestion_summary import (
    IngestionSummary,
    read_ingestion_summary,
)
from mtlx.components.log_example_gen.spans.span_artifact import by_span, span_of
from mtlx.components.log_example_gen.spans.span_marks import is_date, many_words, span_words
from mtlx.transform.contract.counted_labels import LEARNT, LabelsLeftOut, LeftOut


@dataclass(frozen=True)
class SpanView:
    """One span of the window.

    Attributes:
        span: its number.
        name: its date or number.
        trains: or else it tests.
        ingestion: what was read of it, in whatever run that was; None where that is not known.
        seen: by the model that the training went on from, and not by the training itself.
        labels: which labels of it the training took, where it did not take all; else empty.
    """

    span: int
    name: str
    trains: bool
    ingestion: IngestionSummary | None
    seen: bool = False
    labels: str = ""

    @property
    def part(self) -> str:
        """What it is for, in a word or two."""
        if self.seen:
            return "trained the base model"
        return "trains" if self.trains else "tests"

    @property
    def rows(self) -> int:
        """Rows that were taken over."""
        return sum(self.ingestion["rows"].values()) if self.ingestion else 0

    @property
    def malformed(self) -> int:
        """Rows that were left out."""
        return sum(self.ingestion["malformed"].values()) if self.ingestion else 0


def window_view(
    trained: Sequence[types.Artifact],
    tested: Sequence[types.Artifact],
    experiment: Mapping[str, Any],
    own: Sequence[types.Artifact] = (),
    left_out: LabelsLeftOut | None = None,
) -> tuple[SpanView, ...]:
    """The spans, the oldest first.

    Args:
        trained: Examples of the spans that train.
        tested: those of the spans that test; empty for a run without a window.
        experiment: sections of the experiment file as plain values.
        own: those of `trained` that the training itself read; all of them if empty.
        left_out: labels that did not count in the training.
    """
    if not tested:
        return ()
    unseen = {span_of(artifact) for artifact in own or trained}
    date = is_date((experiment.get("data") or {}).get("path", ()))
    return tuple(
        SpanView(
            number,
            span_words(number, date),
            trains,
            read_ingestion_summary(artifact.uri),
            seen=trains and number not in unseen,
            labels=_labels((left_out or {}).get(number, {}), experiment) if trains else "",
        )
        for trains, artifacts in ((True, trained), (False, tested))
        for artifact in by_span(list(artifacts))
        if (number := span_of(artifact)) is not None
    )


def _labels(left_out: Mapping[str, LeftOut], experiment: Mapping[str, Any]) -> str:
    """``but for purchase, not known yet``; ``purchase alone, known by now``."""
    if LEARNT in left_out.values():
        taken = [task for task in experiment.get("tasks") or {} if task not in left_out]
        return f"{', '.join(taken)} alone, known by now"
    return f"but for {', '.join(left_out)}, not known yet" if left_out else ""


def joined_ingestion(spans: Sequence[SpanView]) -> IngestionSummary | None:
    """What was read of all spans as one; None where it is not known of one.

    The seconds are those of the newest, which is what a day's run reads.
    """
    summaries = [span.ingestion for span in spans]
    if not summaries or any(summary is None for summary in summaries):
        return None
    known = [summary for summary in summaries if summary is not None]
    rows: dict[str, int] = {}
    for span in spans:
        for split, count in (span.ingestion or {"rows": {}})["rows"].items():
            split = split if span.trains else "test"
            rows[split] = rows.get(split, 0) + count
    return {
        **known[-1],
        "rows": rows,
        "lines": _sums([summary.get("lines", {}) for summary in known]),
        "malformed": _sums([summary["malformed"] for summary in known]),
        "filtered": sum(summary.get("filtered", 0) for summary in known),
        "unmatched": _sums([summary.get("unmatched", {}) for summary in known]),
        "quarantine": next((s["quarantine"] for s in known if s["quarantine"]), None),
    }


def window_notice(spans: Sequence[SpanView], experiment: Mapping[str, Any]) -> str | None:
    """A sentence that names what the window asks for and the logs lacked; None for a whole one."""
    window = (experiment.get("data") or {}).get("window")
    if not spans or not window:
        return None
    newest = spans[-1].span
    asked = range(newest - window["train"] - window.get("test", 1) + 1, newest + 1)
    lacking = set(asked) - {span.span for span in spans}
    if not lacking:
        return None
    date = is_date((experiment.get("data") or {}).get("path", ()))
    return (
        f"Of the window's {len(asked)} spans the logs had {len(spans)}; they lacked "
        f"{many_words(lacking, date)}."
    )


def window_fact(spans: Sequence[SpanView], experiment: Mapping[str, Any]) -> str:
    """Which spans train and which test, in a few words."""
    date = is_date((experiment.get("data") or {}).get("path", ()))
    words = {
        "trains": "trained on",
        "trained the base model": "going on from a model that saw of the window",
        "tests": "tested on",
    }
    by_part = {part: [span.span for span in spans if span.part == part] for part in words}
    return ", ".join(
        f"{words[part]} {many_words(found, date)}" for part, found in by_part.items() if found
    )


def _sums(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for key, count in one.items():
            total[key] = total.get(key, 0) + count
    return total
