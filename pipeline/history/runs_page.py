"""The runs of an experiment as one HTML page: a table, and curves over time."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mtlx.components.report.page_environment import page_environment
from mtlx.components.report.sections.line_chart import LineChart, line_chart
from mtlx.pipeline.history import words
from mtlx.pipeline.run.record.run_summary import Interval, Outcome, RunSummary

#: How the models are called in titles and legends; also their styles.
_CANDIDATE = "candidate"
#: Of more points, none is marked.
_MOST_DOTS = 60
#: A node that never takes this share of a run is drawn below a fold.
_SMALL = 0.05
#: How the outcomes are coloured.
_GOOD, _BAD = (Outcome.BLESSED,), (Outcome.FAILED, Outcome.KILLED, Outcome.UNREADABLE)
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Charts:
    """The curves of a page; a point per run, in the order in which they began.

    Attributes:
        auc: per task, the candidate's with its interval, and that of the model it was compared
            with.
        relaimp: per task, with its interval.
        seconds: of whole runs, then of the nodes that take a share of them.
        small_seconds: of the other nodes.
        size: megabytes that a run wrote.
    """

    auc: tuple[LineChart, ...]
    relaimp: tuple[LineChart, ...]
    seconds: tuple[LineChart, ...]
    small_seconds: tuple[LineChart, ...]
    size: tuple[LineChart, ...]


def runs_page(name: str, runs: Sequence[RunSummary]) -> str:
    """Renders the page; it refers to nothing outside itself and runs no script.

    Args:
        name: of the experiment.
        runs: in the order in which they began, one at least.
    """
    environment = page_environment("mtlx.pipeline.history")
    return environment.get_template("runs.html").render(
        name=name,
        created=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        runs=list(reversed(runs)),
        charts=charts(runs),
        tasks=words.tasks_of(runs),
        counts=_counts(runs),
        words=words,
        style=_style,
        with_spans=any(run.spans for run in runs),
        with_moved=any(run.drift or run.skew for run in runs),
        against=list(dict.fromkeys(run.against for run in runs if run.against)),
    )


def charts(runs: Sequence[RunSummary]) -> Charts:
    """Draws what runs have in common.

    Args:
        runs: in the order in which they began.
    """
    draw = _Drawing(runs)
    tasks = words.tasks_of(runs)
    nodes = list(dict.fromkeys(node.node_id for run in runs for node in run.nodes))
    large = [node for node in nodes if any(_share(run, node) >= _SMALL for run in runs)]
    ended = [run for run in runs if run.outcome in (Outcome.BLESSED, Outcome.NOT_BLESSED)]

    def seconds(node: str) -> list[LineChart]:
        return draw.values(f"Seconds, {node}", lambda run: _seconds(run, node))

    return Charts(
        auc=tuple(chart for task in tasks for chart in draw.auc(task)),
        relaimp=tuple(chart for task in tasks for chart in draw.relaimp(task)),
        seconds=(
            *draw.values("Seconds, whole runs", lambda run: run.seconds if run in ended else None),
            *(chart for node in large for chart in seconds(node)),
        ),
        small_seconds=tuple(c for node in nodes if node not in large for c in seconds(node)),
        size=tuple(draw.values("Megabytes written", _megabytes)),
    )


class _Drawing:
    """Charts with one place on the horizontal axis per run.

    Args:
        runs: in the order in which they began.
    """

    def __init__(self, runs: Sequence[RunSummary]) -> None:
        self._runs = runs
        self._texts = [words.moment(run)[:10] for run in runs]

    def auc(self, task: str) -> list[LineChart]:
        """The AUC of a task."""
        series = {_CANDIDATE: self._points(lambda run: _value(run.auc, task))}
        for model in ("baseline", "reference"):
            series[model] = self._against(model, task)
        return self._draw(f"AUC, {task}", series, self._band(lambda run: run.auc.get(task)))

    def _against(self, model: str, task: str) -> list[tuple[int, float]]:
        """AUC of the model that runs compared with, where it was this one."""
        return self._points(
            lambda run: _value(run.against_auc, task) if run.against == model else None
        )

    def relaimp(self, task: str) -> list[LineChart]:
        """The RelaImp of a task."""
        series = {_CANDIDATE: self._points(lambda run: _value(run.relaimp, task))}
        band = self._band(lambda run: run.relaimp.get(task))
        return self._draw(f"RelaImp (%), {task}", series, band)

    def values(self, title: str, value: Callable[[RunSummary], float | None]) -> list[LineChart]:
        """One number per run."""
        return self._draw(title, {_CANDIDATE: self._points(value)}, [])

    def _draw(
        self,
        title: str,
        series: Mapping[str, list[tuple[int, float]]],
        band: list[tuple[int, float, float]],
    ) -> list[LineChart]:
        chart = line_chart(
            title,
            series,
            {},
            bands={_CANDIDATE: band} if len(band) > 1 else None,
            x_title="run",
            x_texts=self._texts,
            dots=len(self._runs) <= _MOST_DOTS,
        )
        return [] if chart is None else [chart]

    def _points(self, value: Callable[[RunSummary], float | None]) -> list[tuple[int, float]]:
        """Number and value of the runs that have one."""
        found = ((number, value(run)) for number, run in enumerate(self._runs, start=1))
        return [(number, one) for number, one in found if one is not None]

    def _band(
        self, interval: Callable[[RunSummary], Interval | None]
    ) -> list[tuple[int, float, float]]:
        band = []
        for number, run in enumerate(self._runs, start=1):
            _, lower, upper = interval(run) or (None, None, None)
            if lower is not None and upper is not None:
                band.append((number, lower, upper))
        return band


def _value(found: Mapping[str, Interval], task: str) -> float | None:
    return found.get(task, (None, None, None))[0]


def _seconds(run: RunSummary, node_id: str) -> float | None:
    """Of a node that worked; what came from the cache says nothing of how long it takes."""
    return next(
        (n.seconds for n in run.nodes if n.node_id == node_id and n.state == "complete"), None
    )


def _share(run: RunSummary, node_id: str) -> float:
    return (_seconds(run, node_id) or 0.0) / max(run.seconds or 0.0, 1e-9)


def _megabytes(run: RunSummary) -> float | None:
    return None if run.bytes is None else run.bytes / _MEGABYTE


def _counts(runs: Sequence[RunSummary]) -> list[tuple[int, str]]:
    """How many runs ended how."""
    outcomes = [run.outcome for run in runs]
    return [(outcomes.count(one), one.value) for one in Outcome if one in outcomes]


def _style(run: RunSummary) -> str:
    """Of the badge that says how a run ended."""
    return "good" if run.outcome in _GOOD else "bad" if run.outcome in _BAD else ""
