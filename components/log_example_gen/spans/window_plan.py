"""Which portions of the logs a run is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import span_number
from mtlx.components.log_example_gen.spans.span_files import span_files
from mtlx.components.log_example_gen.spans.span_marks import is_date, many_words, span_words
from mtlx.components.log_example_gen.spans.window_settings import WindowSettings


@dataclass(frozen=True)
class WindowPlan:
    """The spans of one run, by number.

    Attributes:
        train: that train, the oldest first.
        test: that test, the oldest first; the last is the newest of all.
        missing: that the window asks for and the logs lack.
        before: that the window asks for and that lie before the logs' first span.
        date: whether people name a span by its date.
        files: of every span, in order.
    """

    train: tuple[int, ...]
    test: tuple[int, ...]
    missing: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    date: bool = False
    files: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """The span after which the run is named."""
        return self.test[-1]

    @property
    def newest_words(self) -> str:
        """The newest span as a run is told it: a number or a date."""
        return span_words(self.newest, self.date)

    @property
    def spans(self) -> tuple[int, ...]:
        """All spans that are read, the oldest first."""
        return (*self.train, *self.test)

    @property
    def notices(self) -> list[str]:
        """What a person should know of the window, a sentence each; empty where it is whole."""
        found = []
        if self.before:
            first = span_words(self.spans[0], self.date)
            found.append(
                f"The logs begin with span {first}: {len(self.before):,} of the window's "
                f"{len(self.spans) + len(self.missing) + len(self.before):,} spans lie before it"
            )
        if self.missing:
            found.append(
                f"The logs lack {_spans(self.missing, self.date)}, within the window; the run goes "
                "on without (data.gaps: allow)"
            )
        return found

    def words(self) -> str:
        """The window for people."""
        return window_words(self.train, self.test, self.date)

    def without(self, span: int) -> "WindowPlan":
        """The plan where a span of the logs turned out to be empty.

        Raises:
            InputRefused: nothing is left to train on, or the newest span is the empty one.
        """
        if span == self.newest:
            raise InputRefused(f"span {span_words(span, self.date)}, the newest, has no rows")
        train = tuple(one for one in self.train if one != span)
        _refuse_without_training(train, self.newest, self.date)
        test = tuple(one for one in self.test if one != span)
        missing = tuple(sorted((*self.missing, span)))
        return replace(self, train=train, test=test, missing=missing)


def window_words(train: Iterable[int], test: Iterable[int], date: bool) -> str:
    """Spans by what they are for: ``trained on spans 1 to 7, tested on span 8``."""
    return f"trained on {_spans(train, date)}, tested on {_spans(test, date)}"


def plan_window(
    patterns: Iterable[str],
    window: WindowSettings,
    gaps: Literal["refuse", "allow"],
    span: int | str | None = None,
    matures_after: Mapping[str, int] | None = None,
) -> WindowPlan:
    """Chooses the spans of a run by the files that there are.

    Args:
        patterns: absolute, each with a place for the span.
        window: how many spans train and test.
        gaps: what becomes of spans within the window that the logs lack. What lies before the
            first span of the logs is no gap.
        span: the newest span of the run, a number or a date; None or empty for the logs' latest.
        matures_after: by task after how many spans its labels are known; what is not named is
            known at once.

    Raises:
        InputRefused: there are no spans, not the one that was asked for or none to train on; or
            some are missing, and gaps are refused; or none that trains has known labels of a task.
    """
    patterns = list(patterns)
    date = is_date(patterns)
    there = _files(patterns)
    where = " or ".join(patterns)
    if not there and any(span_files(pattern) for pattern in patterns):
        raise InputRefused(
            f"{where}: the numbers of the spans have zeros before them; say how many digits they "
            "have, such as {SPAN:2} for day=01"
        )
    if not there:
        raise InputRefused(
            f"no file matches {where}: check data.path, and --data or MTLX_DATA for relative paths"
        )
    newest = max(there) if span is None or span == "" else span_number(span)
    if newest not in there:
        raise InputRefused(
            f"no file of span {span_words(newest, date)} matches {where}; the logs hold "
            f"{_spans(there, date)}: check data.path and the span"
        )
    first_test = newest - window.test + 1
    wanted = range(first_test - window.train, newest + 1)
    begin = min(there)
    missing = tuple(one for one in wanted if one >= begin and one not in there)
    if missing and gaps == "refuse":
        raise InputRefused(
            f"the logs lack {_spans(missing, date)}, within the window of spans "
            f"{span_words(max(begin, wanted[0]), date)} to {span_words(newest, date)}: put the "
            f"files there ({where}), or set data.gaps: allow to go on without"
        )
    train = tuple(one for one in wanted if one in there and one < first_test)
    test = tuple(one for one in wanted if one in there and one >= first_test)
    _refuse_without_training(train, newest, date)
    _refuse_without_labels(train, newest, date, matures_after or {})
    before = tuple(one for one in wanted if one < begin)
    files = {one: tuple(there[one]) for one in (*train, *test)}
    return WindowPlan(train, test, missing, before, date, files)


def _files(patterns: Iterable[str]) -> dict[int, list[str]]:
    """Files by span, each once, in the order of the patterns."""
    found: dict[int, dict[str, None]] = {}
    for pattern in patterns:
        for span, files in span_files(pattern, as_run=True).items():
            found.setdefault(span, {}).update(dict.fromkeys(files))
    return {span: list(files) for span, files in found.items()}


def _refuse_without_training(train: tuple[int, ...], newest: int, date: bool) -> None:
    if not train:
        raise InputRefused(
            f"no span before {span_words(newest, date)} is there to train on: a window needs at "
            "least one beside those that test (data.window)"
        )


def _refuse_without_labels(
    train: tuple[int, ...], newest: int, date: bool, matures_after: Mapping[str, int]
) -> None:
    for task, after in matures_after.items():
        if newest - train[0] < after:
            raise InputRefused(
                f"task {task}: its labels are known {after:,} spans later (matures_after), and "
                f"when {span_words(newest, date)} is the newest span, they are of none that "
                f"trains ({_spans(train, date)}): run on a later span, when the logs hold more of "
                "them, or give data.window.train more"
            )


def _spans(spans: Iterable[int], date: bool) -> str:
    spans = list(spans)
    return f"span{'s' if len(spans) != 1 else ''} {many_words(spans, date)}"
