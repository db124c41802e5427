"""TFX component: stops the run where ExampleValidator found anomalies."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import component_spec, standard_artifacts

from mtlx.components.anomaly_guard import executor


class AnomalyGuardSpec(component_spec.ComponentSpec):
    """Inputs and execution properties of `AnomalyGuard`."""

    PARAMETERS = {"allow_anomalies": component_spec.ExecutionParameter(type=bool)}
    INPUTS = {
        "anomalies": component_spec.ChannelParameter(type=standard_artifacts.ExampleAnomalies)
    }
    OUTPUTS: dict[str, component_spec.ChannelParameter] = {}


class AnomalyGuard(base_component.BaseComponent):
    """Fails where there are anomalies; ExampleValidator itself only writes them down.

    It has no output: make the nodes that must not see bad data depend on it, with
    ``transform.add_upstream_node(guard)``.

    Args:
        anomalies: of ExampleValidator.
        allow_anomalies: go on nevertheless.
    """

    SPEC_CLASS = AnomalyGuardSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        anomalies: types.BaseChannel,
        allow_anomalies: bool | data_types.RuntimeParameter = False,
    ):
        super().__init__(
            spec=AnomalyGuardSpec(anomalies=anomalies, allow_anomalies=allow_anomalies)
        )
