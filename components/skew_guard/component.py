"""TFX component: how far what was served differs from what was logged of it."""

import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.skew_guard import executor
from mtlx.components.skew_guard.driver import Driver
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.skew_guard.skew_result import SkewResult
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract

_Examples, _Statistics = standard_artifacts.Examples, standard_artifacts.ExampleStatistics


class SkewGuardSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `SkewGuard`."""

    PARAMETERS = {
        "skew_settings": component_spec.ExecutionParameter(type=str),
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "serving_path": component_spec.ExecutionParameter(type=str),
        "reader": component_spec.ExecutionParameter(type=str),
        "reader_options": component_spec.ExecutionParameter(type=str),
        "max_malformed_share": component_spec.ExecutionParameter(type=float),
        "versions_in": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "kept_apart": component_spec.ExecutionParameter(type=str),
        "dates": component_spec.ExecutionParameter(type=int),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=_Examples),
        "statistics": component_spec.ChannelParameter(type=_Statistics),
        "older_examples": component_spec.ChannelParameter(type=_Examples, optional=True),
        "older_statistics": component_spec.ChannelParameter(type=_Statistics, optional=True),
    }
    OUTPUTS = {"skew": component_spec.ChannelParameter(type=SkewResult)}


class SkewGuard(base_beam_component.BaseBeamComponent):
    """Compares serving logs with the ingested logs of the same span, and scores them again.

    Features are described by the code of `BatchStatisticsGen` and compared by that of
    `DriftGuard`. A draw of the rows is scored by the version that served them.

    Args:
        examples: the newest that were ingested.
        statistics: of `BatchStatisticsGen`, of these.
        patterns: absolute paths of the serving logs, see `DataSettings.serving_path`.
        data: whose reader and limit of malformed rows the serving logs have.
        settings: what is compared.
        contract: of the run.
        versions_in: folder of the versions that served; None where scores are not compared.
        older_examples: of the spans before, which are looked at where the newest has no serving
            logs yet.
        older_statistics: of these.
        split: of the examples that the serving logs are held against; all if empty.
        kept_apart: the feature by whose values rows were split; empty for none.
        dates: the spans' numbers count days since 1970-01-01, and are called by their dates.
    """

    SPEC_CLASS = SkewGuardSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        patterns: Sequence[str],
        data: DataSettings,
        settings: SkewSettings,
        contract: DataContract,
        versions_in: str | None = None,
        older_examples: types.BaseChannel | None = None,
        older_statistics: types.BaseChannel | None = None,
        split: str = "",
        kept_apart: str = "",
        dates: bool = False,
    ):
        own = settings.reader is not None
        super().__init__(
            spec=SkewGuardSpec(
                examples=examples,
                statistics=statistics,
                older_examples=older_examples,
                older_statistics=older_statistics,
                skew_settings=settings.to_json(),
                data_contract=contract.to_json(),
                serving_path=json.dumps(list(patterns)),
                reader=settings.reader or data.reader,
                reader_options=json.dumps(settings.options if own else data.options),
                max_malformed_share=data.max_malformed_share,
                versions_in=versions_in or "",
                split=split,
                kept_apart=kept_apart,
                dates=int(dates),
                skew=types.Channel(type=SkewResult),
            )
        )
