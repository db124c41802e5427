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

from mtlx.kubeflow.training_job.job_kind import JobKind
from mtlx.kubeflow.training_job.refusals import explain, is_unknown_kind

#: Answers of the API that pass: too many requests, and errors of the server.
_PASSING = (429, 500, 502, 503, 504)
#: Longest time of one call, in seconds.
_CALL_SECONDS = 30
#: Longest wait between two attempts, in seconds.
_LONGEST_WAIT = 60.0
_LOG_LINES = 60
#: Plural of the objects that jobs of some kinds name.
_RUNTIMES = "trainingruntimes"
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
        kind: of the jobs.
        patience_seconds: how long the API may be away before a call fails.
        first_wait: seconds before the first repetition of a call; doubled for each further one.
    """

    def __init__(
        self,
        namespace: str,
        api: kubernetes.client.ApiClient,
        kind: JobKind,
        patience_seconds: float = 600.0,
        first_wait: float = 1.0,
    ) -> None:
        self.namespace, self.kind = namespace, kind
        self._objects = kubernetes.client.CustomObjectsApi(api)
        self._core = kubernetes.client.CoreV1Api(api)
        self._patience, self._first_wait = patience_seconds, first_wait

    def create(self, job: Mapping[str, Any]) -> bool:
        """Creates a job.

        Returns:
            Whether it was created; False where one of its name is there already.

        Raises:
            ClusterError: the API refuses it, or keeps a part of it only.
        """
        name = job["metadata"]["name"]
        kept = self._call(self._objects.create_namespaced_custom_object, name, job, ok=409)
        if kept is None:
            return False
        # Fields that the installed version does not know are dropped without a word.
        dropped = sorted(set(job.get("spec", {})) - set(kept.get("spec", {})))
        if dropped:
            self.delete(name)
            raise ClusterError(
                f"{self.kind.name} {name} in namespace {self.namespace}: the cluster does not know "
                f"spec.{', spec.'.join(dropped)}: install {self.kind.operator}"
            )
        return True

    def require_runtime(self) -> dict[str, Any] | None:
        """The runtime that jobs of this kind name, as the cluster has it; None for none.

        Raises:
            ClusterError: there is none of its name, or the API refuses.
        """
        wanted = self.kind.runtime
        if wanted is None:
            return None
        get = self._objects.get_namespaced_custom_object
        found = self._call(get, wanted, wanted, ok=404, plural=_RUNTIMES)
        if found is None:
            raise ClusterError(
                f"namespace {self.namespace} has no TrainingRuntime {wanted}, which a "
                f"{self.kind.name} names: list kubeflow/manifests/trainer in your overlay and "
                "apply it"
            )
        return found

    def get(self, name: str) -> dict[str, Any] | None:
        """The job as the cluster has it, with its status; None where there is none.

        Raises:
            ClusterError: the API refuses, or is away for too long.
        """
        return self._call(self._objects.get_namespaced_custom_object, name, name, ok=404)

    def delete(self, name: str, wait_seconds: float = 0.0) -> None:
        """Deletes a job and its pods; one that is not there is fine.

        Args:
            name: of the job.
            wait_seconds: how long to wait until it is gone, so that another can take its name.

        Raises:
            ClusterError: the API refuses, or the job is still there after that time.
        """
        delete = self._objects.delete_namespaced_custom_object
        self._call(delete, name, name, ok=404, propagation_policy="Foreground")
        deadline = time.monotonic() + wait_seconds
        while wait_seconds and self.get(name) is not None:
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{self.kind.name} {name} is still there {wait_seconds:.0f} s after deletion"
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
                label_selector=f"{self.kind.pod_label}={name}",
                _request_timeout=_CALL_SECONDS,
            ),
            f"pods of {self.kind.name} {name}",
        )
        return sorted(found.items, key=lambda pod: pod.metadata.name)

    def warnings(self, name: str) -> list[str]:
        """What the cluster complains of about a job, in the order of its words' last times.

        Raises:
            ClusterError: the API refuses, or is away for too long.
        """
        found = [event for one in self.kind.objects(name) for event in self._warnings_of(one)]
        found.sort(key=lambda event: str(event.last_timestamp or event.event_time))
        return [f"{one.involved_object.kind}: {one.reason}: {one.message}" for one in found]

    def _warnings_of(self, subject: str) -> list[kubernetes.client.CoreV1Event]:
        """The warnings about objects of a name."""
        selector = f"type=Warning,involvedObject.name={subject}"
        return self._attempt(
            lambda: self._core.list_namespaced_event(
                self.namespace, field_selector=selector, _request_timeout=_CALL_SECONDS
            ),
            f"events of {self.kind.name} {subject}",
        ).items

    def log_tail(self, pod_name: str) -> str:
        """The last lines of a worker's log; what hindered reading it, where that fails."""
        try:
            return self._attempt(
                lambda: self._core.read_namespaced_pod_log(
                    pod_name,
                    self.namespace,
                    container=self.kind.container,
                    tail_lines=_LOG_LINES,
                    _request_timeout=_CALL_SECONDS,
                ),
                f"log of pod {pod_name}",
            )
        except ClusterError as error:
            return f"(the log can't be read: {error})"

    def _call(
        self,
        method: Callable[..., dict[str, Any]],
        name: str,
        subject: Any,
        ok: int,
        plural: str | None = None,
        **further: Any,
    ) -> dict[str, Any] | None:
        """A call about jobs, or what they name; None where the answer is the status `ok`."""
        what = self.kind.name if plural is None else "TrainingRuntime"

        def call() -> dict[str, Any] | None:
            try:
                return method(
                    self.kind.group,
                    self.kind.version,
                    self.namespace,
                    plural or self.kind.plural,
                    subject,
                    _request_timeout=_CALL_SECONDS,
                    **further,
                )
            except ApiException as error:
                if error.status == ok and not is_unknown_kind(error):
                    return None
                raise

        return self._attempt(call, f"{what} {name}")

    def _attempt(self, call: Callable[[], Result], what: str) -> Result:
        """Repeats a call about something while the API is away, with growing waits."""
        deadline, wait = time.monotonic() + self._patience, self._first_wait
        while True:
            try:
                return call()
            except ApiException as error:
                if error.status not in _PASSING or time.monotonic() + wait > deadline:
                    raise ClusterError(explain(error, self.kind, what, self.namespace)) from error
                reason = f"{error.status} {error.reason}"
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if time.monotonic() + wait > deadline:
                    raise ClusterError(
                        f"{what} in namespace {self.namespace}: the cluster's API can't be reached "
                        f"since {self._patience:.0f} s: {error}"
                    ) from error
                reason = str(error)
            logging.warning(
                "%s: the cluster's API failed (%s): again in %.1f s", what, reason, wait
            )
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
