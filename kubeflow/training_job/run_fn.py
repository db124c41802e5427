"""A Trainer's ``run_fn`` that lets a job of the cluster train: makes or finds it, waits, takes its
model."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from mtlx.kubeflow.training_job.arguments import (
    OUTPUT_FIELDS,
    arguments_uri,
    read_values,
    write_arguments,
)
from mtlx.kubeflow.training_job.client import (
    ClusterError,
    TrainingJobClient,
    connect,
    own_namespace,
)
from mtlx.kubeflow.training_job.job_kind import JobKind
from mtlx.kubeflow.training_job.job_name import job_name
from mtlx.kubeflow.training_job.kinds import KINDS
from mtlx.kubeflow.training_job.manifest import ARGUMENTS, training_job_manifest
from mtlx.kubeflow.training_job.settings import NODE, RUN_ID, TRAINING_JOB, TrainingJobSettings
from mtlx.kubeflow.training_job.waiting import TrainingJobFailed, wait
from mtlx.trainer.repeats.repeats_record import RepeatsRecord, repeats_folder
from mtlx.trainer.run_config import read_settings
from mtlx.trainer.training.methods import check_workers, method_of

#: Arguments that name the folders that a training leaves.
_RESULTS = ("serving_model_dir", "model_run_dir")
#: How long a deleted job's pods may take to end.
_DELETION_SECONDS = 300.0


class Stopped(SystemExit):
    """The task was told to stop."""


def run_fn(fn_args: FnArgs) -> None:
    """Trains on several machines of the cluster; returns once the model is exported.

    An attempt that is repeated finds the job of the one before and waits on; a job that failed, or
    whose model is gone, is deleted and made anew, and goes on from the training's checkpoint. On
    SIGTERM the job is deleted. A finished job stays for a day, or its `keep_seconds`.

    Args:
        fn_args: of TFX.

    Raises:
        ValueError: the environment or the settings are wrong, or the training method runs on one
            machine only.
        ClusterError: the cluster's API refuses, or is away for too long.
        TrainingJobFailed: the training failed; with the job's reason and the end of the log.
        Stopped: by SIGTERM.
    """
    settings = TrainingJobSettings.of_environment()
    if settings is None:
        raise ValueError(f"{TRAINING_JOB} is not set: it says on which machines to train")
    _, model, training = read_settings(fn_args.custom_config or {})
    check_workers(method_of(model, training), settings.workers)
    name = job_name(_variable(RUN_ID), _variable(NODE))
    client = TrainingJobClient(_namespace(settings), connect(), KINDS[settings.kind])
    _check_runtime(client, settings)
    uri = arguments_uri(fn_args)
    values = write_arguments(fn_args, uri)
    job = training_job_manifest(name, client.namespace, settings, uri, _owner(client.namespace))
    with _deleted_on_sigterm(client, name):
        working_on = _create_or_find(client, job, values)
        # A lost machine is the loss of all others too, each of which starts again.
        wait(client, name, settings.poll_seconds, settings.restarts * settings.workers)
    _take_results(working_on, values)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ValueError(f"{name} is not set; the node's entry point sets it")
    return value


def _namespace(settings: TrainingJobSettings) -> str:
    namespace = settings.namespace or own_namespace()
    if namespace is None:
        raise ValueError(f"{TRAINING_JOB} names no namespace, and this process runs in no pod")
    return namespace


def _check_runtime(client: TrainingJobClient, settings: TrainingJobSettings) -> None:
    """What the job names must be there, and fit."""
    runtime = client.require_runtime()
    if runtime is None:
        return
    problem = client.kind.runtime_problem(runtime, settings)
    if problem is not None:
        raise ClusterError(
            f"TrainingRuntime {client.kind.runtime} in namespace {client.namespace}: {problem}"
        )


def _owner(namespace: str) -> dict[str, Any] | None:
    """This task's pod, with whose run the job is then deleted; None where it is not known.

    An owner in another namespace would count as deleted, and take the job with it.
    """
    name, uid = os.environ.get("KFP_POD_NAME"), os.environ.get("KFP_POD_UID")
    if not name or not uid or own_namespace() != namespace:
        return None
    return {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}


def _create_or_find(
    client: TrainingJobClient, job: Mapping[str, Any], values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Creates the job, or finds an earlier attempt's; returns the arguments that it works on."""
    name, kind = job["metadata"]["name"], client.kind
    while not client.create(job):
        found = client.get(name)
        if found is None:
            continue
        metadata = found["metadata"]
        theirs = read_values((metadata.get("annotations") or {}).get(ARGUMENTS, ""))
        deleted = "deletionTimestamp" in metadata
        usable = theirs is not None and not deleted and _may_give_results(kind, found, theirs)
        if theirs is not None and usable and _work(theirs) == _work(values):
            logging.info("%s %s of an earlier attempt is there: waiting for it", kind.name, name)
            return theirs
        logging.info("%s %s of an earlier attempt is of no use: making it anew", kind.name, name)
        client.delete(name, _DELETION_SECONDS)
    logging.info("%s %s created in namespace %s", kind.name, name, client.namespace)
    return values


def _may_give_results(kind: JobKind, job: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether a job's results are there, or may still come.

    TFX removes the output folders of an execution that raised, and gives the same ones to the
    next attempt: a job may have succeeded and its model be gone.
    """
    ended = kind.outcome(job)
    if ended == "Failed":
        return False
    return ended is None or all(tf.io.gfile.exists(theirs[field]) for field in _RESULTS)


def _work(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is trained on what, without where the results go."""
    return {name: value for name, value in values.items() if name not in OUTPUT_FIELDS}


@contextlib.contextmanager
def _deleted_on_sigterm(client: TrainingJobClient, name: str) -> Iterator[None]:
    """Deletes the job where this process is told to stop meanwhile."""

    def stop(number: int, frame: object) -> None:
        raise Stopped(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except Stopped:
        # A second signal must not keep the job alive.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        logging.info("told to stop: deleting %s %s", client.kind.name, name)
        client.delete(name)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _take_results(working_on: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Copies the results of an earlier attempt's job to where this attempt's are expected.

    Models of other seeds lie beside the model, and come along.
    """
    for field in _RESULTS:
        source, target = working_on[field], values[field]
        if not tf.io.gfile.exists(source):
            raise TrainingJobFailed(
                f"the workers left nothing at {source}: is it on a volume that they and this "
                "task mount at the same path?"
            )
        if source == target:
            continue
        if field == "serving_model_dir" and RepeatsRecord.beside(source) is not None:
            _copy_tree(repeats_folder(source), repeats_folder(target))
        _copy_tree(source, target)


def _copy_tree(source: str, target: str) -> None:
    for folder, _, files in tf.io.gfile.walk(source):
        below = os.path.relpath(folder, source)
        to = target if below == "." else os.path.join(target, below)
        tf.io.gfile.makedirs(to)
        for file in files:
            tf.io.gfile.copy(os.path.join(folder, file), os.path.join(to, file), overwrite=True)
