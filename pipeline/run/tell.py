"""Tells of a run's end: by command, by webhook, in MLflow."""

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.notify.message import Message
from mtlx.pipeline.notify.notify import notify
from mtlx.pipeline.run.record.run_summary import DRIFT_NODE, SKEW_NODE, Outcome, RunSummary
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.tracking.mlflow_tracking import track

#: What happened, what says most first, and lines on it.
_Happened: TypeAlias = tuple[tuple[str, ...], Sequence[str]]

#: Of checks that block, and of movements, so many are told.
_MOST_CHECKS = 20


@dataclasses.dataclass(frozen=True)
class Places:
    """Where people find what a run left, where that is not the run's folder.

    Attributes:
        report: path or URI of the report; None where there is none.
        log: path or address of the log; empty where none is known.
    """

    report: str | None
    log: str


def tells(experiment: Experiment) -> bool:
    """Whether an experiment names anybody who is told of a run's end."""
    notify = experiment.notify
    somebody = bool(notify.command) or notify.webhook is not None
    return (somebody and bool(notify.events)) or experiment.tracking.mlflow is not None


def tell_end(experiment: Experiment, folder: Path, places: Places | None = None) -> tuple[str, ...]:
    """Tells of a run that came to its end.

    Args:
        experiment: that was run.
        folder: of the run, with its record and report; ``drift`` and ``skew`` of the record, where
            it has them, say what moved, and what was served otherwise, by more than is allowed.
        places: that are told; None for those in the folder.

    Returns:
        Sentences on who was told, and who could not be; nothing here fails a run.
    """
    return _tell(experiment, folder, _end, places)


def tell_failure(
    experiment: Experiment,
    folder: Path,
    where: str,
    message: str,
    places: Places | None = None,
) -> tuple[str, ...]:
    """Tells of a run that failed.

    Args:
        experiment: that was run.
        folder: of the run, with its record.
        where: the node that failed, or before or after which.
        message: why, and what became of the model.
        places: as in `tell_end`.

    Returns:
        As `tell_end`.
    """
    events = ("drifted", "failed") if where in (DRIFT_NODE, SKEW_NODE) else ("failed",)
    return _tell(experiment, folder, lambda record: (events, message.splitlines()), places)


def tell_refusal(experiment: Experiment, message: str) -> tuple[str, ...]:
    """Tells of a run that was refused before it began, say because the day's logs are not there.

    Args:
        experiment: that was to be run.
        message: why.

    Returns:
        As `tell_end`.
    """
    if "failed" not in experiment.notify.events:
        return ()
    told = Message(
        event="failed",
        events=("failed",),
        experiment=experiment.name,
        run_id="",
        outcome="refused",
        lines=tuple(message.splitlines()),
        report=None,
        log="",
    )
    return tuple(notify(experiment.notify, told, experiment.folder))


def _tell(
    experiment: Experiment,
    folder: Path,
    happened: Callable[[Mapping[str, Any]], _Happened],
    places: Places | None,
) -> tuple[str, ...]:
    if not tells(experiment):
        return ()
    settings, tracking = experiment.notify, experiment.tracking
    own, lines = RunFolder(folder), []
    try:
        record = own.read_record()
        report = own.report if own.report.exists() else None
        if places is None:
            places = Places(str(report) if report else None, str(own.log))
        events, text = happened(record)
        told = [event for event in events if event in settings.events]
        if told:
            message = Message(
                event=told[0],
                events=tuple(events),
                experiment=experiment.name,
                run_id=record["run_id"],
                outcome=_outcome(record),
                lines=tuple(text),
                report=places.report,
                log=places.log,
                pushed_to=record.get("pushed_to"),
            )
            lines += notify(settings, message, experiment.folder)
        values = json.loads(experiment.as_written())
        tracked = track(tracking, experiment.name, record, values, report)
        lines += [] if tracked is None else [tracked]
    except Exception as error:  # say, a record that a full disk did not take
        logging.exception("telling of the run's end failed")
        lines.append(f"Not all were told of the run's end: {type(error).__name__}: {error}")
    return tuple(line for line in lines if line is not None)


def _outcome(record: Mapping[str, Any]) -> str:
    return RunSummary.of_record(record["run_id"], record).verdict


def _end(record: Mapping[str, Any]) -> _Happened:
    """What happened in a run that came to its end, what says most first, and its lines."""
    from mtlx.components.relaimp_gate.verdict import Verdict

    nodes = {node["node_id"]: node for node in record["nodes"]}
    blessing = next(
        node["outputs"]["blessing"][0] for node in nodes.values() if "blessing" in node["outputs"]
    )
    checks = Verdict.of_blessing(blessing).checks
    failed = [check.message for check in checks if not check.passed]
    lines = [f"✘ {message}" for message in failed[:_MOST_CHECKS]]
    if len(failed) > _MOST_CHECKS:
        lines.append(f"and {len(failed) - _MOST_CHECKS} more")
    met = sum(check.passed and check.applicable for check in checks)
    lines.append(f"{met} of {len(checks)} checks of the gate are met")
    events = []
    if record["outcome"] == Outcome.NOT_BLESSED.value:
        events.append("blocked")
    drift = [f"Drifted: {words}" for words in record.get("drift") or ()]
    drift += [f"Served otherwise: {words}" for words in record.get("skew") or ()]
    if drift:
        events.append("drifted")
    # A model that was served before is found again, not pushed.
    if record.get("pushed_to") and nodes.get("Pusher", {}).get("state") == "complete":
        events.append("pushed")
    return tuple(events), [*lines, *drift[:_MOST_CHECKS]]
