"""Talks to a cluster's API about training jobs, and bears with its short outages."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import kubernetes
import urllib3
from absl import logging
from kubernetes.client.exceptions import ApiException

from mtlx.kubeflow.training_job.manifest import CONTAINER, GROUP, PLURAL, VERSION

#: Label that the operator gives to the pods of a job.
_JOB_LABEL = "training.kubeflow.org/job-name"
#: Answers of the API that pass: too many requests, and errors of the server.
_PASSING = (429, 500, 502, 503, 504)
#: Longest time of one call, in seconds.
_CALL_SECONDS = 30
#: Longest wait between two attempts, in seconds.
_LONGEST_WAIT = 60.0
_LOG_LINES = 60
#: Where a pod finds its own namespace.
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

Result = TypeVar("Result")


class ClusterError(RuntimeError):
    """The cluster's API refuses, or can't be reached."""


class TrainingJobClient:
    """Creates, reads and deletes training jobs of one namespace.

    Args:
        namespace: of the jobs.
        api: connected client of the cluster.
        patience_seconds: how long the API may be away before a call fails.
        first_wait: seconds before the first repetition of a call; doubled for each further one.
    """

    def __init__(
        self,
        namespace: str,
        api: kubernetes.client.ApiClient,
        patience_seconds: float = 600.0,
        first_wait: float = 1.0,
    ) -> None:
        self.namespace = namespace
        self._objects = kubernetes.client.CustomObjectsApi(api)
        self._core = kubernetes.client.CoreV1Api(api)
        self._patience, self._first_wait = patience_seconds, first_wait

    def create(self, job: Mapping[str, Any]) -> bool:
        """Creates a job.

        Returns:
            Whether it was created; False where one of its name is there already.

        Raises:
            ClusterError: the API refuses it.
        """
        return self._call(self._objects.create_namespaced_custom_object, job, ok=409) is not None

    def get(self, name: str) -> dict[str, Any] | None:
        """The job as the cluster has it, with its status; None where there is none.

        Raises:
            ClusterError: the API refuses, or is away for too long.
        """
        return self._call(self._objects.get_namespaced_custom_object, name, ok=404)

    def delete(self, name: str, wait_seconds: float = 0.0) -> None:
        """Deletes a job and its pods; one that is not there is fine.

        Args:
            name: of the job.
            wait_seconds: how long to wait until it is gone, so that another can take its name.

        Raises:
            ClusterError: the API refuses, or the job is still there after that time.
        """
        delete = self._objects.delete_namespaced_custom_object
        self._call(delete, name, ok=404, propagation_policy="Foreground")
        deadline = time.monotonic() + wait_seconds
        while wait_seconds and self.get(name) is not None:
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"TFJob {name} is still there {wait_seconds:.0f} s after deletion"
                )
            time.sleep(min(1.0, self._first_wait))

    def pods(self, name: str) -> list[kubernetes.client.V1Pod]:
        """The pods of a job, in the order of their names.

        Raises:
            ClusterError: the API refuses, or is away for too long.
        """
        found = self._attempt(
            lambda: self._core.list_namespaced_pod(
                self.namespace,
                label_selector=f"{_JOB_LABEL}={name}",
                _request_timeout=_CALL_SECONDS,
            )
        )
        return sorted(found.items, key=lambda pod: pod.metadata.name)

    def log_tail(self, pod_name: str) -> str:
        """The last lines of a worker's log; what hindered reading it, where that fails."""
        try:
            return self._attempt(
                lambda: self._core.read_namespaced_pod_log(
                    pod_name,
                    self.namespace,
                    container=CONTAINER,
                    tail_lines=_LOG_LINES,
                    _request_timeout=_CALL_SECONDS,
                )
            )
        except ClusterError as error:
            return f"(the log can't be read: {error})"

    def _call(
        self, method: Callable[..., dict[str, Any]], subject: Any, ok: int, **further: Any
    ) -> dict[str, Any] | None:
        """A call about jobs; None where the answer is the status `ok`."""

        def call() -> dict[str, Any] | None:
            try:
                return method(
                    GROUP,
                    VERSION,
                    self.namespace,
                    PLURAL,
                    subject,
                    _request_timeout=_CALL_SECONDS,
                    **further,
                )
            except ApiException as error:
                if error.status == ok and not _is_unknown_kind(error):
                    return None
                raise

        return self._attempt(call)

    def _attempt(self, call: Callable[[], Result]) -> Result:
        """Repeats a call while the API is away, with growing waits."""
        deadline, wait = time.monotonic() + self._patience, self._first_wait
        while True:
            try:
                return call()
            except ApiException as error:
                if error.status not in _PASSING or time.monotonic() + wait > deadline:
                    raise ClusterError(_explain(error, self.namespace)) from error
                reason = f"{error.status} {error.reason}"
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if time.monotonic() + wait > deadline:
                    raise ClusterError(
                        f"the cluster's API can't be reached since {self._patience:.0f} s: {error}"
                    ) from error
                reason = str(error)
            logging.warning("the cluster's API failed (%s): again in %.1f s", reason, wait)
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)


def connect() -> kubernetes.client.ApiClient:
    """A client of the cluster: by ``KUBECONFIG`` where that is set, else of the pod's own.

    Raises:
        ClusterError: this is no pod, and ``KUBECONFIG`` is not set or names no usable file.
    """
    configuration = kubernetes.client.Configuration()
    # Calls are repeated here, where what is repeated is known.
    configuration.retries = False
    try:
        path = os.environ.get("KUBECONFIG")
        if path:
            # Named here: the client itself looks at the variable when it is imported.
            kubernetes.config.load_kube_config(path, client_configuration=configuration)
        else:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
    except kubernetes.config.ConfigException as error:
        raise ClusterError(
            f"no access to a cluster: {error}. Inside a pod this is its service account's; "
            "elsewhere set KUBECONFIG"
        ) from error
    return kubernetes.client.ApiClient(configuration)


def own_namespace() -> str | None:
    """The namespace of the pod that this process runs in; None outside of pods."""
    if not _NAMESPACE_FILE.exists():
        return None
    return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()


def _is_unknown_kind(error: ApiException) -> bool:
    """Whether 404 means that the cluster knows no `TFJob` at all."""
    return error.status == 404 and "page not found" in (error.body or "")


def _explain(error: ApiException, namespace: str) -> str:
    """What to do about an answer that no repetition changes."""
    said = f"the cluster's API says {error.status} {error.reason}: {(error.body or '').strip()}"
    if error.status in (401, 403):
        return (
            f"{said}. The task's service account needs create, get and delete on tfjobs "
            f"({GROUP}) and get and list on pods and pods/log in namespace {namespace}"
        )
    if _is_unknown_kind(error):
        return (
            f"{said}. The cluster has no TFJob: install the Training Operator v1 "
            "(docs/kubeflow.md), or set workers to 1"
        )
    return said
