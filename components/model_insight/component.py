"""TFX component: looks into the trained model, for the report."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from mtlx.components.model_insight import executor
from mtlx.components.model_insight.insight_result import InsightResult
from mtlx.components.model_insight.settings import InsightList
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract


class ModelInsightSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `ModelInsight`."""

    PARAMETERS = {
        "insights": component_spec.ExecutionParameter(type=str),
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "whole": component_spec.ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {"insight": component_spec.ChannelParameter(type=InsightResult)}


class ModelInsight(base_component.BaseComponent):
    """What the trained model goes by, on the rows that it is evaluated on.

    The exported model is built again as layers, with its weights and behind its transform: it
    predicts what is served, and tells besides what its gates, towers and attentions compute. The
    SavedModel itself is left as it is, with the signatures that serve and no others.

    Args:
        examples: raw examples with the evaluated split; of a window one artifact per span.
        model: the candidate, by a Trainer of this project.
        transform_graph: of the Transform that it was trained on.
        insights: JSON of a list of `InsightSettings`.
        data_contract: JSON of a `DataContract`.
        split: that is evaluated.
        whole: all splits of the examples are, whatever `split` names.

    Raises:
        ValidationError: the settings are wrong.
    """

    SPEC_CLASS = ModelInsightSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        transform_graph: types.BaseChannel,
        *,
        insights: str,
        data_contract: str,
        split: str = "test",
        whole: bool = False,
    ):
        InsightList.model_validate_json(insights)
        DataContract.from_json(data_contract)
        super().__init__(
            spec=ModelInsightSpec(
                examples=examples,
                model=model,
                transform_graph=transform_graph,
                insights=insights,
                data_contract=data_contract,
                split=split,
                whole=1 if whole else None,
                insight=types.Channel(type=InsightResult),
            )
        )
