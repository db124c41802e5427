"""Reads what the runs below a pipeline root noted of themselves."""

import dataclasses
import json
from pathlib import Path

from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary, begun_by_name
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_lock import process_at_work


def list_runs(root: Path) -> list[RunSummary]:
    """All runs, in the order in which they began.

    Args:
        root: the pipeline root.

    Returns:
        A summary per run's folder, also of those that were killed before they noted anything.
    """
    found = [_summary(folder) for folder in RunFolder.all(root)]
    runs = sorted((run for run in found if run is not None), key=_moment)
    unended = [run for run in runs if run.outcome is Outcome.UNDER_WAY]
    process = process_at_work(root) if unended else None
    at_work = next((run for run in reversed(unended) if run.process in (process, None)), None)
    return [
        run
        if run not in unended or (process is not None and run is at_work)
        else dataclasses.replace(run, outcome=Outcome.KILLED, process=None)
        for run in runs
    ]


def _moment(run: RunSummary) -> tuple[str, str]:
    """By time, and where that is not known by name; both begin with the year."""
    return run.begun or run.run_id, run.run_id


def _summary(folder: RunFolder) -> RunSummary | None:
    """What a run noted; None for a folder that a run never wrote to."""
    run_id = folder.path.name
    try:
        values = folder.read_summary()
        if values is not None:
            return RunSummary.of_values(values)
        return RunSummary.of_record(run_id, folder.read_record())
    except FileNotFoundError:
        # An older run that failed, was stopped or killed; or one that has just begun.
        if not any(folder.path.iterdir()):
            return None
        return RunSummary(run_id, Outcome.UNDER_WAY, begun_by_name(run_id))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, json.JSONDecodeError):
        return RunSummary(run_id, Outcome.UNREADABLE, begun_by_name(run_id))
