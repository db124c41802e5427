"""TFX component: analyses and transforms examples by the data contract."""

from typing import Literal

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from mtlx.components.one_pass_transform import driver, executor
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY


class OnePassTransformSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `OnePassTransform`."""

    PARAMETERS = {
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "analyze_splits": component_spec.ExecutionParameter(type=str),
        "transform_splits": component_spec.ExecutionParameter(type=str),
        "without_base_model": component_spec.ExecutionParameter(type=str),
        "grow_vocabularies": component_spec.ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
        "base_model": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "newest_examples": component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
    }
    OUTPUTS = {
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "transformed_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }


class OnePassTransform(base_beam_component.BaseBeamComponent):
    """Does the work of the stock Transform with `mtlx.transform.preprocessing`, several times
    faster.

    The outputs have the stock component's types and layout, and the same graph serves: TFT
    traces and writes it. What differs is who reads and analyses: one combine over Arrow columns
    instead of TFT's analyzers, and whole batches instead of single records.

    Args:
        examples: raw examples.
        schema: of the raw examples.
        data_contract: `DataContract` as JSON.
        analyze_splits: splits that vocabularies and scalars are learnt from.
        transform_splits: splits that are transformed.
        base_model: a model whose numeric analysis is kept; None for today's.
        without_base_model: what is done where it can't be used: ``refuse`` stops, ``initial`` takes
            today's.
        grow_vocabularies: the base model's vocabularies are kept, too, and today's values added;
            of spans that it has seen those labels alone count that it has not learnt.
        newest_examples: of the spans that test, where labels are not known at once: the newest
            tells which are. They are not read.
    """

    SPEC_CLASS = OnePassTransformSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        data_contract: str,
        analyze_splits: tuple[str, ...],
        transform_splits: tuple[str, ...],
        base_model: types.BaseChannel | None = None,
        without_base_model: Literal["refuse", "initial"] = "refuse",
        grow_vocabularies: bool = False,
        newest_examples: types.BaseChannel | None = None,
    ):
        super().__init__(
            spec=OnePassTransformSpec(
                examples=examples,
                schema=schema,
                data_contract=data_contract,
                analyze_splits=",".join(analyze_splits),
                transform_splits=",".join(transform_splits),
                base_model=base_model,
                newest_examples=newest_examples,
                without_base_model=without_base_model,
                grow_vocabularies=1 if grow_vocabularies else None,
                transform_graph=types.Channel(type=standard_artifacts.TransformGraph),
                transformed_examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
        if newest_examples is not None:
            self.driver_class = driver.Driver
