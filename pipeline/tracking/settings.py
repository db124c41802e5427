"""Settings of the tracking: the `tracking` section of the experiment file."""

import urllib.parse
from typing import Annotated

import pydantic

from mtlx.transform.config.settings import Settings


class TrackingSettings(Settings):
    """Where runs are noted besides the pipeline root.

    A server that does not answer changes nothing about the run.

    Attributes:
        mlflow: address of an MLflow tracking server, ``https://...`` (or whatever else MLflow
            takes, such as ``file:///...``); None for none. Needs ``pip install mlflow-skinny``.
            Names and passwords stand in MLflow's own variables, not in the address.
        experiment: name of MLflow's experiment, which is made where there is none; that of this
            experiment if None.
        timeout_seconds: for all that is sent of a run.
    """

    mlflow: str | None = None
    experiment: str | None = None
    timeout_seconds: Annotated[float, pydantic.Field(gt=0.0, le=3600.0)] = 60.0

    @pydantic.field_validator("mlflow")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/") and ":" not in value:
            raise ValueError(
                "expected an address, https://... or file:///..., or a folder from the root on. "
                f"Received: {value!r}"
            )
        if value is not None and "@" in urllib.parse.urlsplit(value).netloc:
            raise ValueError(
                "holds a name or password: take them out of the address, and set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return value
