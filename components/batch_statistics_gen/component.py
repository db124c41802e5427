"""TFX component: statistics of examples, as StatisticsGen writes them."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from mtlx.components.batch_statistics_gen import executor
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY


class BatchStatisticsGenSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `BatchStatisticsGen`."""

    PARAMETERS = {
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "sample_rate": component_spec.ExecutionParameter(type=float),
        "count_values": component_spec.ExecutionParameter(type=bool),
    }
    INPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }


class BatchStatisticsGen(base_beam_component.BaseBeamComponent):
    """Writes what the stock StatisticsGen writes; TFDV computes it.

    What differs is the reading, in whole batches, and that all of TFDV's generators run in one
    combine. An example in which a feature's list is empty counts as one without the feature; the
    stock component counts it as one with no value. Like there, the artifact's custom property
    ``sample_rate_by_split`` says which share of the rows was looked at.

    Args:
        examples: raw examples.
        data_contract: `DataContract` as JSON; its columns are described.
        sample_rate: share of the rows that are looked at, in (0, 1].
        count_values: write `SplitCounts` beside TFDV's file, which `DriftGuard` reads.
    """

    SPEC_CLASS = BatchStatisticsGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        data_contract: str,
        sample_rate: float = 1.0,
        count_values: bool = True,
    ):
        super().__init__(
            spec=BatchStatisticsGenSpec(
                examples=examples,
                data_contract=data_contract,
                sample_rate=sample_rate,
                count_values=count_values,
                statistics=types.Channel(type=standard_artifacts.ExampleStatistics),
            )
        )
