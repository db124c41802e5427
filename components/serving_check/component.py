"""TFX component: serves a blessed model on trial, between the gate and Pusher."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import component_spec, standard_artifacts

from mtlx.components.serving_check import driver, executor
from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract


def _optional(kind: type[types.Artifact]) -> component_spec.ChannelParameter:
    return component_spec.ChannelParameter(type=kind, optional=True)


class ServingCheckSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `ServingCheck`."""

    PARAMETERS = {
        "serving_check": component_spec.ExecutionParameter(type=str),
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "evaluation": _optional(standard_artifacts.ModelEvaluation),
        "blessing": _optional(standard_artifacts.ModelBlessing),
        "served": _optional(standard_artifacts.Model),
    }
    OUTPUTS = {
        "infra_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class ServingCheck(base_component.BaseComponent):
    """Serves the exported model in a process that has TensorFlow, and nothing of TFX or of this.

    There it scores evaluated rows through both signatures, which has to give what was evaluated;
    is timed, call by call in turn with the model that serves now; and is sent requests that nobody
    should send, each of which it has to refuse or to answer with numbers. The output takes the
    place of that of TFX's InfraValidator: the stock rule of Pusher reads it. Where all is well it
    holds a copy of the model with warm-up requests, which is what ModelPusher pushes.

    A model that the gate held back is not served. One that was refused is served again by the next
    run, whatever TFX's cache says of it.

    Args:
        model: the candidate.
        examples: raw examples, of which rows are taken where the evaluation keeps none.
        evaluation: of `SliceEvaluation`, with some of the rows and what was predicted for them.
        blessing: of the gate.
        served: the model that serves now; the channel may be empty.
        settings: JSON of `ServingCheckSettings`, or a runtime parameter.
        data_contract: JSON of a `DataContract`, or a runtime parameter.
        split: of the examples that is evaluated.

    Raises:
        SettingsError: the settings are wrong.
    """

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        evaluation: types.BaseChannel | None = None,
        blessing: types.BaseChannel | None = None,
        served: types.BaseChannel | None = None,
        *,
        settings: str | data_types.RuntimeParameter,
        data_contract: str | data_types.RuntimeParameter,
        split: str = "test",
    ):
        if isinstance(settings, str):
            ServingCheckSettings.from_json(settings)
        if isinstance(data_contract, str):
            DataContract.from_json(data_contract)
        super().__init__(
            spec=ServingCheckSpec(
                model=model,
                examples=examples,
                evaluation=evaluation,
                blessing=blessing,
                served=served,
                serving_check=settings,
                data_contract=data_contract,
                split=split,
                infra_blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
