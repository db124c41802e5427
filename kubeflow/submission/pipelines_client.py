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

#: Where the cluster puts a pod's token for Kubeflow Pipelines, unless a variable says otherwise.
_TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
_TOKEN_FILE = "/var/run/secrets/kubeflow/pipelines/token"
#: Seconds to wait for a connection, and for an answer.
_TIMEOUT = (10, 60)
#: HTTP states that go away by themselves.
_TRANSIENT = (0, 408, 425, 429, 500, 502, 503, 504)


class PipelinesError(RuntimeError):
    """Kubeflow Pipelines refused a request; the message says which and why."""


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
            file = token_file or os.environ.get(_TOKEN_VARIABLE, _TOKEN_FILE)
            if token_file or Path(file).exists():
                credentials = ServiceAccountTokenVolumeCredentials(path=file)
        with _quiet(), plain_errors("connecting"):
            super().__init__(
                host=host, namespace=namespace, existing_token=token, credentials=credentials
            )
            health = self.get_kfp_healthz()
            # A single-user installation refuses requests that name a namespace.
            self._run_namespace = namespace if health.multi_user else ""
            # Of /healthz, which is open to all, nothing follows about the token.
            self._experiment_api.experiment_service_list_experiments(
                page_size=1, namespace=self._run_namespace, _request_timeout=_TIMEOUT
            )

    @property
    def address(self) -> str:
        """Of the page, without a slash at its end."""
        return self._get_url_prefix().rstrip("/")

    def get_kfp_healthz(self, sleep_duration: int = 5) -> Any:
        """Asks once; `kfp.Client` would ask for half a minute."""
        del sleep_duration
        return self._healthz_api.healthz_service_get_healthz(_request_timeout=_TIMEOUT)

    def get_user_namespace(self) -> str:
        """Namespace of requests: empty where Kubeflow Pipelines has one user."""
        return self._run_namespace

    def set_user_namespace(self, namespace: str) -> None:
        """Keeps no default; `kfp.Client` would write the pod's namespace into the home folder."""
        del namespace

    def get_run(self, run_id: str) -> kfp_server_api.V2beta1Run:
        """A run with the states of its tasks."""
        with plain_errors(f"reading run {run_id}"):
            return self._run_api.run_service_get_run(run_id=run_id, _request_timeout=_TIMEOUT)

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
        with _quiet(), plain_errors(f"starting run {name!r} in experiment {experiment!r}"):
            run = self.run_pipeline(
                self.create_experiment(experiment).experiment_id,
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
        with _quiet(), plain_errors(f"scheduling {name!r} in experiment {experiment!r}"):
            recurring = self.create_recurring_run(
                self.create_experiment(experiment).experiment_id,
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


@contextlib.contextmanager
def plain_errors(action: str) -> Iterator[None]:
    """Turns the client's errors into those of this module.

    Args:
        action: what is being done, for the message.
    """
    try:
        yield
    except kfp_server_api.ApiException as error:
        text = f"{action}: Kubeflow Pipelines answers {error.status} {error.reason or ''}".rstrip()
        text += f": {' '.join(str(error.body).split())[:500]}" if error.body else ""
        if error.status in (401, 403):
            raise AccessRefused(f"{text}. Give a token of its audience: --token-file") from error
        if error.status in _TRANSIENT:
            raise ApiUnreachable(text) from error
        raise PipelinesError(text) from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ApiUnreachable(
            f"{action}: no Kubeflow Pipelines there ({error}). Check --host, or forward its "
            "port: kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the client's own lines; ours say the same once."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
