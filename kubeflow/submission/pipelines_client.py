"""The client of Kubeflow Pipelines, with errors that say what to do."""

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3
from kfp.client import ServiceAccountTokenVolumeCredentials

from mtlx.kubeflow.submission.refusals import CONFLICT, TRANSIENT, Request
from mtlx.kubeflow.submission.run_verdict import OVER

#: Where the cluster puts a pod's token for Kubeflow Pipelines, unless a variable says otherwise.
_TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
_TOKEN_FILE = "/var/run/secrets/kubeflow/pipelines/token"
#: Seconds to wait for a connection, and for an answer.
_TIMEOUT = (10, 60)


class PipelinesError(RuntimeError):
    """Kubeflow Pipelines refused a request; the message says which and why.

    Attributes:
        status: HTTP state of the answer; None without one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ApiUnreachable(PipelinesError):
    """Nobody answers, or not with what Kubeflow Pipelines would."""


class AccessRefused(PipelinesError):
    """The API answers 401 or 403."""


class PipelinesClient(kfp.Client):
    """`kfp.Client` that fails at once and in one sentence.

    Args:
        host: of the API; None for that of ``KF_PIPELINES_ENDPOINT``, of the cluster in which
            this runs, or of the current kubectl context, in this order.
        namespace: of the runs where Kubeflow Pipelines knows several users; else where it is
            installed.
        token: bearer token.
        token_file: file with the token, read anew for every request; without both the pod's own
            is taken where there is one.

    Raises:
        ApiUnreachable: there is no Kubeflow Pipelines at the host.
        AccessRefused: the token is missing, wrong or not allowed.
    """

    def __init__(
        self,
        host: str | None,
        namespace: str,
        token: str | None = None,
        token_file: str | None = None,
    ):
        self._run_namespace = ""
        credentials = None
        if token is None:
            file: str = token_file or os.environ.get(_TOKEN_VARIABLE) or _TOKEN_FILE
            if token_file or Path(file).exists():
                credentials = ServiceAccountTokenVolumeCredentials(path=file)
        with _quiet(), plain_errors(Request("connecting", "such API")):
            super().__init__(
                host=host, namespace=namespace, existing_token=token, credentials=credentials
            )
            # One API client serves all of the services.
            api = self._run_api.api_client
            api.rest_client = _TimedRequests(api.configuration)
            health = self.get_kfp_healthz()
            # A single-user installation refuses requests that name a namespace.
            self._run_namespace = namespace if health.multi_user else ""
            # Of /healthz, which is open to all, nothing follows about the token.
            self._experiment_api.experiment_service_list_experiments(
                page_size=1, namespace=self._run_namespace
            )

    @property
    def address(self) -> str:
        """Of the page, without a slash at its end."""
        return self._get_url_prefix().rstrip("/")

    def get_kfp_healthz(self, sleep_duration: int = 5) -> Any:
        """Asks once; `kfp.Client` would ask for half a minute."""
        del sleep_duration
        return self._healthz_api.healthz_service_get_healthz()

    def get_user_namespace(self) -> str:
        """Namespace of requests: empty where Kubeflow Pipelines has one user."""
        return self._run_namespace

    def set_user_namespace(self, namespace: str) -> None:
        """Keeps no default; `kfp.Client` would write the pod's namespace into the home folder."""
        del namespace

    def get_run(self, run_id: str) -> kfp_server_api.V2beta1Run:
        """A run with the states of its tasks."""
        with plain_errors(Request(f"reading run {run_id}", f"run {run_id}", "get on runs")):
            return self._run_api.run_service_get_run(run_id=run_id)

    def running(self, experiment: str) -> list[str]:
        """Names of an experiment's runs that are not over, of the newest hundred."""
        group = self._group(experiment)
        request = Request(
            f"listing the runs of experiment {experiment!r}",
            f"experiment {experiment!r}",
            "list on runs",
        )
        with _quiet(), plain_errors(request):
            found = self._run_api.run_service_list_runs(
                namespace=self._run_namespace,
                experiment_id=group,
                page_size=100,
                sort_by="created_at desc",
            )
        return [run.display_name for run in found.runs or [] if run.state not in OVER]

    def start(
        self, package: Path, experiment: str, name: str, parameters: dict[str, str], account: str
    ) -> str:
        """Starts a run and returns its id.

        Args:
            package: compiled YAML.
            experiment: of Kubeflow Pipelines; is created where it does not exist.
            name: of the run.
            parameters: of the pipeline, those that are others than compiled.
            account: service account of the tasks.
        """
        group = self._group(experiment)
        request = Request(
            f"starting run {name!r} in experiment {experiment!r}",
            f"experiment {experiment!r}",
            "create on runs",
            f"Run {name!r} may have been started",
        )
        with _quiet(), plain_errors(request):
            run = self.run_pipeline(
                group,
                name,
                str(package),
                params=parameters,
                enable_caching=False,
                service_account=account,
            )
        return run.run_id

    def schedule(
        self,
        package: Path,
        experiment: str,
        name: str,
        parameters: dict[str, str],
        account: str,
        *,
        cron: str | None = None,
        seconds: int | None = None,
    ) -> str:
        """Creates a recurring run and returns its id; the other arguments are those of `start`.

        At most one run is at work at a time, and missed ones are not made up for: each takes the
        latest data.

        Args:
            package: see `start`.
            experiment: see `start`.
            name: see `start`.
            parameters: see `start`.
            account: see `start`.
            cron: six fields, the first of them seconds.
            seconds: interval.
        """
        group = self._group(experiment)
        request = Request(
            f"scheduling {name!r} in experiment {experiment!r}",
            f"recurring run {name!r} of experiment {experiment!r}",
            "create on jobs",
            f"Recurring run {name!r} may have been created",
            "what single runs need, and not this",
        )
        with _quiet(), plain_errors(request):
            recurring = self.create_recurring_run(
                group,
                name,
                cron_expression=cron,
                interval_second=seconds,
                max_concurrency=1,
                no_catchup=True,
                pipeline_package_path=str(package),
                params=parameters,
                enable_caching=False,
                service_account=account,
            )
        return recurring.recurring_run_id

    def _group(self, experiment: str) -> str:
        """Id of an experiment of Kubeflow Pipelines, which is created where there is none."""
        request = Request(
            f"finding or creating experiment {experiment!r}",
            f"experiment {experiment!r}",
            "create, get and list on experiments",
        )
        try:
            with _quiet(), plain_errors(request):
                return self.create_experiment(experiment).experiment_id
        except PipelinesError as error:
            if error.status != CONFLICT:
                raise
            conflict = error
        # Another submission may have created it after this one had looked.
        with _quiet(), plain_errors(request):
            try:
                return self.get_experiment(experiment_name=experiment).experiment_id
            except ValueError:  # kfp's, for an experiment that is not listed
                raise conflict from None


class _TimedRequests(kfp_server_api.rest.RESTClientObject):
    """Gives every request a timeout: most calls of `kfp.Client` have none and take none."""

    def request(
        self,
        method: str,
        url: str,
        *arguments: Any,
        _request_timeout: Any = None,
        **further: Any,
    ) -> Any:
        timeout = _request_timeout or _TIMEOUT
        return super().request(method, url, *arguments, _request_timeout=timeout, **further)


@contextlib.contextmanager
def plain_errors(request: Request) -> Iterator[None]:
    """Turns the client's errors into those of this module, with what to do about them.

    Args:
        request: what is asked of the API.
    """
    action = request.action
    try:
        yield
    except kfp_server_api.ApiException as error:
        text = f"{action}: Kubeflow Pipelines answers {error.status} {error.reason or ''}".rstrip()
        text += f": {' '.join(str(error.body).split())[:500]}" if error.body else ""
        text += request.remedy(error.status)
        if error.status in (401, 403):
            raise AccessRefused(text, error.status) from error
        if error.status in TRANSIENT:
            raise ApiUnreachable(text, error.status) from error
        raise PipelinesError(text, error.status) from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        if request.done and not _never_connected(error):
            raise ApiUnreachable(f"{action}: no answer ({error}){request.doubt}") from error
        raise ApiUnreachable(
            f"{action}: no Kubeflow Pipelines there ({error}). Check --host, or forward its "
            "port: kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80"
        ) from error


def _never_connected(error: Exception) -> bool:
    """Whether no request was ever sent."""
    cause = getattr(error, "reason", error)
    return isinstance(
        cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the client's own lines; ours say the same once."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
