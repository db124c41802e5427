"""Notes a run in MLflow, with MLflow's own client, and never fails."""

import datetime
import importlib.util
import logging
import os
import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlx.pipeline.tracking.run_entries import RunEntries, run_entries
from mtlx.pipeline.tracking.settings import TrackingSettings

#: How it is installed.
INSTALL = "pip install mlflow-skinny"
#: What a server takes at once, of parameters, metrics and tags.
_AT_ONCE = {"params": 100, "metrics": 800, "tags": 100}


def mlflow_problem(settings: TrackingSettings) -> str | None:
    """Why runs can't be noted, as far as it is known before a run."""
    if settings.mlflow is not None and importlib.util.find_spec("mlflow") is None:
        return f"tracking.mlflow is set, but MLflow is not installed: {INSTALL}"
    return None


def track(
    settings: TrackingSettings,
    name: str,
    record: Mapping[str, Any],
    values: Mapping[str, Any],
    report: Path | None,
) -> str | None:
    """Notes a finished or failed run; the server has `TrackingSettings.timeout_seconds`.

    Args:
        settings: of the experiment.
        name: of the experiment, where the settings name none.
        record: what ``run.json`` holds.
        values: sections of the experiment file as plain values, without secrets.
        report: the run's report, where there is one.

    Returns:
        A line that says where it was noted, or why not; None where no server is configured.
    """
    if settings.mlflow is None:
        return None
    ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    entries = run_entries(record, values)
    # The client tries for minutes, and sleeps between.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", f"{max(1, int(settings.timeout_seconds))}")

    def send() -> None:
        try:
            _send(settings.mlflow, settings.experiment or name, entries, record, report)
        except Exception as error:
            ended.put(error)
        else:
            ended.put(None)

    threading.Thread(target=send, daemon=True, name="tracking").start()
    try:
        error = ended.get(timeout=settings.timeout_seconds)
    except queue.Empty:
        error = TimeoutError(f"it took longer than {settings.timeout_seconds:g} s")
    if error is None:
        line = f"Noted in MLflow: {settings.mlflow}"
        logging.info("%s", line)
    else:
        reason = " ".join((str(error) or type(error).__name__).split())[:300]
        line = f"Not noted in MLflow ({settings.mlflow}): {reason}"
        logging.warning("%s", line)
    return line


def _send(
    address: str | None,
    name: str,
    entries: RunEntries,
    record: Mapping[str, Any],
    report: Path | None,
) -> None:
    """All requests of a run."""
    import mlflow
    from mlflow.entities import Metric, Param, RunTag

    # The client's own address is not enough: artifacts go where MLflow as a whole is pointed to.
    mlflow.set_tracking_uri(address)
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(name)
    experiment = client.create_experiment(name) if found is None else found.experiment_id
    begun, ended = _milliseconds(record)
    run = client.create_run(experiment, start_time=begun, run_name=record["run_id"])
    run_id = run.info.run_id
    batches = {
        "params": [Param(key, value) for key, value in entries.params.items()],
        "metrics": [Metric(key, value, ended, 0) for key, value in entries.metrics.items()],
        "tags": [RunTag(key, value) for key, value in entries.tags.items()],
    }
    for kind, items in batches.items():
        most = _AT_ONCE[kind]
        for start in range(0, len(items), most):
            client.log_batch(run_id, **{kind: items[start : start + most]})
    if report is not None:
        client.log_artifact(run_id, str(report))
    status = "FAILED" if record["outcome"] == "failed" else "FINISHED"
    client.set_terminated(run_id, status, ended)


def _milliseconds(record: Mapping[str, Any]) -> tuple[int, int]:
    """When the run began and ended, since 1970."""
    begun = datetime.datetime.fromisoformat(record["begun"]).timestamp()
    return int(1000 * begun), int(1000 * (begun + record["seconds"]))
