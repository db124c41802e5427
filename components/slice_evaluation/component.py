"""TFX component: evaluates a candidate, and what it is compared with, per task and slice."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import component_spec, standard_artifacts

from mtlx.components.slice_evaluation import executor
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slices import resolve_crosses
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract


class SliceEvaluationSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `SliceEvaluation`."""

    PARAMETERS = {
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "evaluation_settings": component_spec.ExecutionParameter(type=str),
        "whole": component_spec.ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "candidate": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "baseline": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "reference": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "anchor": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


class SliceEvaluation(base_beam_component.BaseBeamComponent):
    """AUC, RelaImp and the chosen metrics with paired intervals, per task and slice.

    All models are served the same raw examples through their ``serving_default`` signature. One
    that reads other features than the examples hold is not scored, and the result says why. The
    output is what TFMA's writers write: `tfma.load_eval_result(uri, model_name="candidate")`
    reads it, and `mtlx.components.slice_evaluation.results.load_results` gives all of it.

    Args:
        examples: raw examples with the configured split; of a window one artifact per span.
        candidate: the model that was just trained.
        baseline: the model to beat, say the latest blessed one; the channel may be empty.
        reference: another model trained in the same run.
        anchor: an older model, against which the losses of several pushes add up; the channel
            may be empty.
        data_contract: JSON of a `DataContract`, or a runtime parameter.
        evaluation: JSON of `EvaluationSettings`, or a runtime parameter.
        whole: all splits of the examples test, whatever split the settings name.

    Raises:
        SettingsError: a slice or the user key names no categorical feature.
    """

    SPEC_CLASS = SliceEvaluationSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        candidate: types.BaseChannel,
        baseline: types.BaseChannel | None = None,
        reference: types.BaseChannel | None = None,
        anchor: types.BaseChannel | None = None,
        *,
        data_contract: str | data_types.RuntimeParameter,
        evaluation: str | data_types.RuntimeParameter,
        whole: bool = False,
    ):
        if isinstance(data_contract, str) and isinstance(evaluation, str):
            resolve_crosses(
                EvaluationSettings.from_json(evaluation), DataContract.from_json(data_contract)
            )
        super().__init__(
            spec=SliceEvaluationSpec(
                examples=examples,
                candidate=candidate,
                baseline=baseline,
                reference=reference,
                anchor=anchor,
                data_contract=data_contract,
                evaluation_settings=evaluation,
                whole=1 if whole else None,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            )
        )
