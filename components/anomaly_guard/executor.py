"""Runs the check of `AnomalyGuard`."""

from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from mtlx.components.anomaly_guard.anomalies import Anomaly, load_anomalies

Artifacts = dict[str, list[types.Artifact]]


class DataAnomaliesError(ValueError):
    """The data does not match its schema; the message lists where, and what can be done."""

    def __init__(self, anomalies: list[Anomaly]):
        self.anomalies = anomalies
        lines = [f"the data does not match its schema in {len(anomalies)} places:"]
        for anomaly in anomalies:
            lines.append(
                f"  split {anomaly.split!r}, feature {anomaly.feature!r}: "
                f"{anomaly.short_description}: {anomaly.description}"
            )
        lines.append(
            "Fix the data, name features whose new values are to be expected in "
            "validation.open_features, import a reviewed schema (validation.schema_path), or set "
            "validation.allow_anomalies: true to go on; the report lists them then."
        )
        super().__init__("\n".join(lines))


class Executor(base_executor.BaseExecutor):
    """Raises unless the data matches its schema or anomalies are allowed; see `AnomalyGuard`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Checks.

        Args:
            input_dict: ``anomalies``.
            output_dict: empty.
            exec_properties: ``allow_anomalies``, bool.

        Raises:
            DataAnomaliesError: there are anomalies, and they are not allowed.
        """
        anomalies = load_anomalies(artifact_utils.get_single_instance(input_dict["anomalies"]))
        if anomalies and not exec_properties["allow_anomalies"]:
            raise DataAnomaliesError(anomalies)
        if anomalies:
            logging.warning("Going on with %d anomalies, as set", len(anomalies))
