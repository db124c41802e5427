"""What a replay compares, as curves over its days: for the table and for the page."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mtlx.components.log_example_gen.spans.span_marks import span_words
from mtlx.pipeline.replay.day_record import FIRST, OLDER, TODAY, YESTERDAY, DayRecord, ReplayRecord
from mtlx.pipeline.replay.way import Way
from mtlx.pipeline.run.record.run_summary import Interval

#: Name of the curve of the best possible AUC.
BEST = "best_possible"
#: How the curves of one way's models are called.
MODELS = {
    TODAY: "the day's model",
    YESTERDAY: "yesterday's",
    OLDER: "of two weeks ago, or the first",
    BEST: "best possible",
}


@dataclass(frozen=True)
class Curves:
    """Values by day.

    Args:
        record: of the replay; a day at least.
    """

    record: ReplayRecord

    @property
    def spans(self) -> list[int]:
        """All days of all ways."""
        return sorted({day.span for days in self.record.days.values() for day in days})

    @property
    def names(self) -> list[str]:
        """The days for people."""
        return [span_words(span, self.record.date) for span in self.spans]

    @property
    def ways(self) -> list[str]:
        """Those that trained and have days."""
        return [way for way, days in self.record.days.items() if days]

    def compared(self, task: str) -> dict[str, dict[int, Interval]]:
        """By way, and for the stale model and the best possible, the AUC by span."""
        found = {way: self._auc(way, TODAY, task) for way in self.ways}
        if self.record.stale:
            found[Way.STALE.value] = self._auc(self.ways[0], FIRST, task)
        return {**found, BEST: self._best(self.ways[0], task)}

    def of_way(self, way: str, task: str) -> dict[str, dict[int, Interval]]:
        """By model of one way, and for the best possible, the AUC by span."""
        found = {model: self._auc(way, model, task) for model in (TODAY, YESTERDAY, OLDER)}
        return {**found, BEST: self._best(way, task)}

    def numbers(self, value: Callable[[DayRecord], float]) -> dict[str, dict[int, float]]:
        """By way one number per day."""
        return {way: {day.span: value(day) for day in self.record.days[way]} for way in self.ways}

    def _auc(self, way: str, model: str, task: str) -> dict[int, Interval]:
        days = self.record.days[way]
        found = {day.span: day.auc.get(model, {}).get(task) for day in days}
        return {span: one for span, one in found.items() if one and one[0] is not None}

    def _best(self, way: str, task: str) -> dict[int, Interval]:
        days = self.record.days[way]
        return {day.span: (day.best[task], None, None) for day in days if task in day.best}

    def within(self, task: str, way: str, other: str) -> tuple[int, int]:
        """On how many days a way's AUC lies within, or above, the interval of another's; of how
        many. The first day is left out: there the ways are one and the same.
        """
        ours, theirs = self._auc(way, TODAY, task), self._auc(other, TODAY, task)
        later = [span for span in ours if span != self.spans[0]]
        both = [span for span in later if span in theirs and theirs[span][1] is not None]
        good = [span for span in both if (ours[span][0] or 0.0) >= (theirs[span][1] or 0.0)]
        return len(good), len(both)

    def median(self, value: Callable[[DayRecord], float], way: str) -> float | None:
        """Of all days but the first, which reads the whole window whatever the way."""
        values = [value(day) for day in self.record.days[way][1:] if day.model]
        return statistics.median(values) if values else None

    def sentences(self) -> list[str]:
        """What the ways come to, a sentence each."""
        found = []
        for way in self.ways:
            seconds = self.median(lambda day: day.seconds, way)
            rows = self.median(lambda day: float(day.rows), way)
            if seconds is not None and rows is not None:
                found.append(
                    f"{Way(way).words}: a day after the first takes {seconds:,.1f} s in its nodes "
                    f"and ingests {rows:,.0f} rows (medians)"
                )
        warm, scratch = Way.WARM_START.value, Way.FROM_SCRATCH.value
        if warm in self.ways and scratch in self.ways:
            ours, theirs = (self.median(lambda day: day.seconds, way) for way in (warm, scratch))
            if ours is not None and theirs:
                found.append(f"A warm-started day takes {ours / theirs:.2f} of one from scratch")
            for task in self.record.tasks:
                good, all_days = self.within(task, warm, scratch)
                if not all_days:
                    continue
                found.append(
                    f"{task}: the AUC of warm start is not below the interval of from scratch on "
                    f"{good} of {all_days} days after the first"
                )
        return found


def labels(curves: Mapping[str, object]) -> dict[str, str]:
    """How curves are called in legends."""
    ways = {way.value: way.words for way in Way}
    return {name: {**ways, **MODELS}[name] for name in curves}
