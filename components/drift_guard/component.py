"""TFX component: how far the newest examples have moved from those before them."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from mtlx.components.drift_guard import executor
from mtlx.components.drift_guard.drift_result import DriftResult
from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract


class DriftGuardSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `DriftGuard`."""

    PARAMETERS = {
        "drift_settings": component_spec.ExecutionParameter(type=str),
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "baseline_split": component_spec.ExecutionParameter(type=str),
        "kept_apart": component_spec.ExecutionParameter(type=str),
        "dates": component_spec.ExecutionParameter(type=int),
    }
    INPUTS = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "baseline_statistics": component_spec.ChannelParameter(
            type=standard_artifacts.ExampleStatistics
        ),
    }
    OUTPUTS = {"drift": component_spec.ChannelParameter(type=DriftResult)}


class DriftGuard(base_component.BaseComponent):
    """Measures features and label rates, and warns, or fails, beyond the thresholds.

    TFX's DistributionValidator takes one artifact on either side, so no window of spans, and
    TFDV's comparators behind it measure less than is asked for here: no stability index, no share
    of values out of vocabulary, no label rates by domain. Its Jensen-Shannon divergence of
    numbers is that of ten buckets of equal width, which one outlier stretches, or of ten
    quantiles, which a value that most rows have makes empty; the L-infinity distance here is the
    same as there.

    With one artifact on either side a split is compared with another; with several the newest
    span with all before it, and with the one before it.

    Args:
        statistics: of `BatchStatisticsGen`, of the newest examples; with several artifacts, of
            the newest spans, the oldest first.
        baseline_statistics: of the examples before, the oldest first.
        settings: JSON of `DriftSettings`.
        data_contract: JSON of a `DataContract`.
        split: of the newest examples; all if empty.
        baseline_split: of the examples before; all if empty.
        kept_apart: the feature by whose values rows were split, so that no value of it is in
            both splits; empty for none.
        dates: the spans' numbers count days since 1970-01-01, and are called by their dates.

    Raises:
        ValidationError: the settings are wrong.
    """

    SPEC_CLASS = DriftGuardSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        baseline_statistics: types.BaseChannel,
        settings: str,
        data_contract: str,
        split: str = "",
        baseline_split: str = "",
        kept_apart: str = "",
        dates: bool = False,
    ):
        DriftSettings.from_json(settings)
        DataContract.from_json(data_contract)
        super().__init__(
            spec=DriftGuardSpec(
                statistics=statistics,
                baseline_statistics=baseline_statistics,
                drift_settings=settings,
                data_contract=data_contract,
                split=split,
                baseline_split=baseline_split,
                kept_apart=kept_apart,
                dates=int(dates),
                drift=types.Channel(type=DriftResult),
            )
        )
