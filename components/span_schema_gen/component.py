"""TFX component: the schema of the training rows."""

import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from mtlx.components.span_schema_gen import executor
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY


class SpanSchemaGenSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `SpanSchemaGen`."""

    PARAMETERS = {
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "tolerance": component_spec.ExecutionParameter(type=float),
        "open_features": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "base_schema": component_spec.ChannelParameter(
            type=standard_artifacts.Schema, optional=True
        ),
    }
    OUTPUTS = {"schema": component_spec.ChannelParameter(type=standard_artifacts.Schema)}


class SpanSchemaGen(base_component.BaseComponent):
    """Infers what the training rows look like; see `InferredSchema`.

    The stock SchemaGen infers from all splits what ExampleValidator then holds the same splits
    against: it finds nothing.

    Args:
        statistics: of the training rows: one artifact, or one per span, the oldest first.
        data_contract: JSON of a `DataContract`.
        base_schema: optional, the schema to begin with; the channel may be empty.
        split: that is read.
        tolerance: see `InferredSchema`.
        open_features: see `InferredSchema`.
    """

    SPEC_CLASS = SpanSchemaGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        data_contract: str,
        base_schema: types.BaseChannel | None = None,
        split: str = "train",
        tolerance: float = 0.01,
        open_features: Sequence[str] = (),
    ):
        super().__init__(
            spec=SpanSchemaGenSpec(
                statistics=statistics,
                base_schema=base_schema,
                data_contract=data_contract,
                split=split,
                tolerance=tolerance,
                open_features=json.dumps(list(open_features)),
                schema=types.Channel(type=standard_artifacts.Schema),
            )
        )
